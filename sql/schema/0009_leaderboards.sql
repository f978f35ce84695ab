-- A reading replaces the one before as a whole: only rows with the greatest version of their leaderboard and day hold.
CREATE TABLE ratings_log
(
    source LowCardinality(String) COMMENT 'Source of the rating: arena, artificial-analysis',
    board LowCardinality(String) COMMENT 'Leaderboard of the source: text, intelligence_index',
    index_version LowCardinality(String) COMMENT 'Version of the rating''s method; empty where the source has none',
    published_on Date COMMENT 'UTC day of publication',
    name String COMMENT 'The name as the source spells it',
    rating Float64 COMMENT 'Rating',
    lower Nullable(Float64) COMMENT 'Lower end of its 95% interval',
    upper Nullable(Float64) COMMENT 'Upper end of its 95% interval',
    votes Nullable(UInt64) COMMENT 'Number of votes behind it',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment at which it was read, UTC',
    version UInt64
        COMMENT 'Of the reading: derived from its moment, then from a checksum of its rows; the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, board, index_version, published_on, name)
COMMENT 'Ratings as published: one row per source, leaderboard, version, day and name';

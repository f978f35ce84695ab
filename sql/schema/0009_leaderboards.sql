CREATE TABLE scores_log
(
    source LowCardinality(String) COMMENT 'Who rates: arena, artificial-analysis',
    board LowCardinality(String) COMMENT 'Which leaderboard: text, intelligence_index',
    index_version LowCardinality(String) COMMENT 'Version of the rating''s method; empty where the source has none',
    published_on Date COMMENT 'UTC day the leaderboard is of',
    name String COMMENT 'The name as the source spells it',
    rating Float64 COMMENT 'Rating',
    lower Nullable(Float64) COMMENT 'Lower end of its 95% interval',
    upper Nullable(Float64) COMMENT 'Upper end of its 95% interval',
    votes Nullable(UInt64) COMMENT 'Votes it rests on',
    observed_at DateTime64(3, 'UTC') COMMENT 'When it was read, UTC',
    version UInt64 COMMENT 'That moment, and for equal ones a checksum of the row: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, board, index_version, published_on, name)
COMMENT 'Leaderboards as published';

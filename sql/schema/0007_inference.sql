-- A reading replaces the one before as a whole: only rows with the greatest version of their day and count hold.
CREATE TABLE inference_log
(
    source LowCardinality(String) COMMENT 'Source of the count: openrouter',
    day Date COMMENT 'UTC day',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment of the source''s count, UTC',
    slug String COMMENT 'Name with its variant; other = the rest of the day',
    tokens UInt64 COMMENT 'Prompt and completion tokens',
    version UInt64
        COMMENT 'Of the reading: derived from its moment, then from a checksum of its rows; the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(day)
ORDER BY (source, day, as_of, slug)
COMMENT 'Tokens of a name on a day, with every count kept: one row per source, day, count and name';

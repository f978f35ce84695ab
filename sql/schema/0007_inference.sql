-- Of two rows with one key the greater count wins, so the order of inserts does not matter.
CREATE TABLE inference_log
(
    source LowCardinality(String) COMMENT 'Source of the count: openrouter',
    day Date COMMENT 'UTC day',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment of the source''s count, UTC',
    slug String COMMENT 'Name with its variant; other = the rest of the day',
    tokens UInt64 COMMENT 'Prompt and completion tokens'
)
ENGINE = ReplacingMergeTree(tokens)
PARTITION BY toYear(day)
ORDER BY (source, day, as_of, slug)
COMMENT 'Tokens of a name on a day, with every count kept: one row per source, day, count and name';

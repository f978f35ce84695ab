-- Tokens of one day as counted at as_of. Of two equal keys the greater count wins, so order does not matter.
CREATE TABLE inference_log
(
    source LowCardinality(String) COMMENT 'Who counted: openrouter',
    day Date COMMENT 'UTC day',
    as_of DateTime64(3, 'UTC') COMMENT 'When the source had counted this, UTC',
    slug String COMMENT 'Name with its variant; other = the rest of the day',
    tokens UInt64 COMMENT 'Prompt and completion tokens'
)
ENGINE = ReplacingMergeTree(tokens)
PARTITION BY toYear(day)
ORDER BY (source, day, as_of, slug)
COMMENT 'Tokens by day and name, every counting kept';

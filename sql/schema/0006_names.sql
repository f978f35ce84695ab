-- What names of other sources mean; the newest record wins.
CREATE TABLE names_log
(
    source LowCardinality(String) COMMENT 'Whose name: openrouter, arena, artificial-analysis',
    name String COMMENT 'The name as the source spells it, without a variant',
    title Nullable(String) COMMENT 'What the source shows to people',
    vendor Nullable(String) COMMENT 'Who makes it, as the source says',
    open Nullable(Bool) COMMENT 'Whether its weights can be downloaded; null = nobody has classified it',
    model_id Nullable(String) COMMENT 'Its weights on the Hub, reviewed',
    org Nullable(String) COMMENT 'The Hub''s organisation that publishes it, reviewed',
    hint Nullable(String) COMMENT 'Its weights as the source says, not reviewed; nothing is counted by it',
    observed_at DateTime64(3, 'UTC') COMMENT 'When the source was read, UTC',
    version UInt64 COMMENT 'That moment, and for equal ones a checksum of the row: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, name)
COMMENT 'What names of other sources mean';

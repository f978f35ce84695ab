-- Written by the facts processor; the newest record wins.
CREATE TABLE names_log
(
    source LowCardinality(String) COMMENT 'Source of the name: openrouter, arena, artificial-analysis',
    name String COMMENT 'The name as the source spells it, without a variant',
    title Nullable(String) COMMENT 'Display name in the source',
    vendor Nullable(String) COMMENT 'Vendor, according to the source',
    open Nullable(Bool) COMMENT 'Whether its weights can be downloaded; null = nobody has classified it',
    model_id Nullable(String) COMMENT 'Its weights on the Hub, reviewed',
    org Nullable(String) COMMENT 'Organisation of the Hub that publishes it, reviewed',
    hint Nullable(String) COMMENT 'Its weights according to the source, not reviewed; no figure uses it',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment at which the source was read, UTC',
    version UInt64 COMMENT 'Derived from observed_at, then from a checksum of the row: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, name)
COMMENT 'Names of models in other sources: one row per source and name';

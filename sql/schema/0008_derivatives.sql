-- Written after lineage_log: an observation that is stored here has been processed.
CREATE TABLE derivatives_log
(
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface',
    model_id String COMMENT 'Model id, as its hub spells it',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the observation, UTC',
    parents Array(String) COMMENT 'Models it derives from, according to the hub',
    relation LowCardinality(Nullable(String)) COMMENT 'adapter, merge, quantized or finetune, according to the hub',
    created_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Creation of the repository, UTC',
    downloads_all_time Nullable(UInt64) COMMENT 'Downloads since creation',
    downloads_30d Nullable(UInt64) COMMENT 'Downloads in the 30 days before; never cumulative',
    version UInt64 COMMENT 'Number of observations of the source known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, model_id)
COMMENT 'Latest observation of every model that derives from another: one row per source and model';

CREATE TABLE lineage_log
(
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface',
    model_id String COMMENT 'Model id, as its hub spells it',
    ancestors Array(String) COMMENT 'All models it derives from, directly or indirectly: nearest first, then by id',
    depths Array(UInt16) COMMENT 'Number of generations to each ancestor',
    roots Array(String) COMMENT 'Roots of its lineage: ancestors that derive from no known model',
    version UInt64 COMMENT 'Number of observations of the source known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, model_id)
COMMENT 'Lineage of derivatives: one row per source and model';

-- A derivative of one of these models that was last observed before the listing is withdrawn.
CREATE TABLE derivative_listings
(
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface',
    base String COMMENT 'Model whose derivatives were listed completely',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the latest such survey, UTC'
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (source, base)
COMMENT 'Latest complete listings of derivatives: one row per source and base';

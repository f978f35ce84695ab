-- Written after lineage_log: what is known here is worked off.
CREATE TABLE derivatives_log
(
    source LowCardinality(String) COMMENT 'Whose counters: huggingface',
    model_id String COMMENT 'Model id as its hub spells it',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the observation, UTC',
    parents Array(String) COMMENT 'Models it derives from, as the hub says',
    relation LowCardinality(Nullable(String)) COMMENT 'adapter, merge, quantized or finetune, as the hub says',
    created_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Creation of the repository, UTC',
    downloads_all_time Nullable(UInt64) COMMENT 'Downloads since creation',
    downloads_30d Nullable(UInt64) COMMENT 'Downloads in the 30 days before; never cumulative',
    version UInt64 COMMENT 'Observations of the source known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, model_id)
COMMENT 'Latest observation of every model that derives from another';

CREATE TABLE lineage_log
(
    source LowCardinality(String) COMMENT 'Whose counters: huggingface',
    model_id String COMMENT 'Model id as its hub spells it',
    ancestors Array(String) COMMENT 'All models it derives from, directly or not: nearest first, then by id',
    depths Array(UInt16) COMMENT 'Generations to each of them',
    roots Array(String) COMMENT 'Ends of its lines: ancestors that derive from nothing known',
    version UInt64 COMMENT 'Observations of the source known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, model_id)
COMMENT 'Where every derivative comes from';

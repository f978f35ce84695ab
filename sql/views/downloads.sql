CREATE OR REPLACE VIEW downloads
(
    model_id String COMMENT 'Model id, as its hub spells it',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the observation, UTC',
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope; never add sources up',
    origin LowCardinality(String)
        COMMENT 'How it was read: live, or the name of an archive; with -30d, by the 30-day counter of a young repository',
    downloads_all_time Nullable(UInt64) COMMENT 'Raw counter: downloads since creation; null = not reported',
    downloads_30d Nullable(UInt64) COMMENT 'Raw counter: downloads in the 30 days before; never cumulative',
    likes Nullable(UInt64) COMMENT 'Likes at that moment',
    cumulative Nullable(UInt64) COMMENT 'Clean downloads: running maximum of the raw counter by observation time',
    delta Nullable(UInt64) COMMENT 'New downloads since the observation before; null for the first',
    revision Nullable(UInt64) COMMENT 'Fall of the raw counter since the observation before; null = it did not fall',
    stalled Bool COMMENT 'Whether its scrape is stalled and its counter is unchanged',
    jump Bool COMMENT 'Whether cumulative grew at least tenfold from at least 1000 since the observation before'
)
AS SELECT
    model_id, observed_at, source, origin, downloads_all_time, downloads_30d, likes,
    cumulative, delta, revision,
    coalesce(standing, false)
        AND (source, observed_at) IN (SELECT source, observed_at FROM scrapes WHERE stalled) AS stalled,
    jump
FROM downloads_log FINAL
COMMENT 'Observations of download counters with their clean series: one row per model, source and moment';

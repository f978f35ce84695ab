CREATE OR REPLACE VIEW families
(
    model_id String COMMENT 'Tracked model',
    org LowCardinality(String) COMMENT 'Publishing organisation',
    size_bin LowCardinality(Nullable(String)) COMMENT 'Size bin of the model',
    own_downloads Nullable(UInt64) COMMENT 'Its own cumulative downloads on the Hub; null = never observed',
    derivatives UInt64 COMMENT 'Number of its counted derivatives',
    quantized_downloads UInt64 COMMENT 'Downloads of its quantized copies since their creation',
    finetune_downloads UInt64 COMMENT 'Downloads of its finetunes since their creation',
    adapter_downloads UInt64 COMMENT 'Downloads of its adapters since their creation',
    merge_downloads UInt64
        COMMENT 'Downloads of merges with it since their creation: a merge counts for each of its bases',
    unknown_downloads UInt64 COMMENT 'Downloads of derivatives whose relation the hub does not state',
    family_downloads Nullable(UInt64)
        COMMENT 'Its own downloads and those of its derivatives; null = the model was never observed',
    as_of Nullable(DateTime64(3, 'UTC')) COMMENT 'Latest observation of any derivative, UTC'
)
AS SELECT
    m.model_id AS model_id, m.org AS org, m.size_bin AS size_bin, own.cumulative AS own_downloads,
    d.derivatives AS derivatives, d.quantized AS quantized_downloads, d.finetune AS finetune_downloads,
    d.adapter AS adapter_downloads, d.merge AS merge_downloads, d.unknown AS unknown_downloads,
    own.cumulative + d.quantized + d.finetune + d.adapter + d.merge + d.unknown AS family_downloads,
    d.as_of AS as_of
FROM (SELECT * FROM models WHERE tracked) AS m
LEFT JOIN
(
    SELECT model_id, toNullable(t.cumulative) AS cumulative FROM tracked_downloads AS t WHERE source = 'huggingface'
) AS own ON own.model_id = m.model_id
LEFT JOIN
(
    SELECT
        base, count() AS derivatives, max(toNullable(observed_at)) AS as_of,
        sumIf(all_time, relation = 'quantized') AS quantized, sumIf(all_time, relation = 'finetune') AS finetune,
        sumIf(all_time, relation = 'adapter') AS adapter, sumIf(all_time, relation = 'merge') AS merge,
        sumIf(all_time, relation NOT IN ('quantized', 'finetune', 'adapter', 'merge')) AS unknown
    FROM
    (
        SELECT arrayJoin(bases) AS base, relation, assumeNotNull(downloads_all_time) AS all_time, observed_at
        FROM derivatives WHERE counted AND source = 'huggingface'
    )
    GROUP BY base
) AS d ON d.base = m.model_id
COMMENT 'Downloads that derivatives add to those of tracked models: one row per tracked model';

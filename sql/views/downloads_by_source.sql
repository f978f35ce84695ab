-- The last knot of a series lies in the day after its last day of daily downloads: `observed_at` is in the key of
-- `downloads_log`, so only those days are read. A series that began today has no such day yet.
CREATE OR REPLACE VIEW tracked_downloads
(
    model_id String COMMENT 'Tracked model',
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope; never add sources up',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of its last knot: the last at which the true counter is known, UTC',
    cumulative UInt64 COMMENT 'Cumulative downloads at that moment'
)
AS SELECT
    model_id, source, max(l.observed_at) AS observed_at,
    assumeNotNull(argMax(downloads_all_time, l.observed_at)) AS cumulative
FROM downloads_log AS l FINAL
WHERE state IN ('first', 'rise', 'idle', 'correction') AND (model_id, source, toDate(l.observed_at)) IN
(
    SELECT model_id, source, max(day) + 1
    FROM daily_log FINAL
    WHERE model_id IN (SELECT model_id FROM models WHERE tracked)
    GROUP BY model_id, source
)
GROUP BY model_id, source
UNION ALL
SELECT
    model_id, source, max(l.observed_at) AS observed_at,
    assumeNotNull(argMax(downloads_all_time, l.observed_at)) AS cumulative
FROM downloads_log AS l FINAL
WHERE state IN ('first', 'rise', 'idle', 'correction') AND (model_id, source) IN
(
    SELECT m.model_id, s.source
    FROM models AS m
    CROSS JOIN (SELECT DISTINCT source FROM scrapes_log) AS s
    WHERE m.tracked AND (m.model_id, s.source) NOT IN
    (
        SELECT model_id, source FROM daily_log FINAL WHERE model_id IN (SELECT model_id FROM models WHERE tracked)
    )
)
GROUP BY model_id, source
COMMENT 'Latest cumulative downloads of tracked models: one row per model and source';

CREATE OR REPLACE VIEW downloads_by_source
(
    model_id String COMMENT 'Model id as the Hub spells it',
    huggingface Nullable(UInt64) COMMENT 'Cumulative downloads on the Hugging Face Hub; null = not observed',
    huggingface_at Nullable(DateTime64(3, 'UTC'))
        COMMENT 'Moment of its last knot there: the last at which the true counter is known, UTC',
    modelscope Nullable(UInt64) COMMENT 'Cumulative downloads on ModelScope; null = not observed',
    modelscope_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Moment of its last knot there, UTC'
)
AS SELECT
    model_id,
    argMaxIf(downloads_all_time, observed_at, source = 'huggingface') AS huggingface,
    maxIf(toNullable(observed_at), source = 'huggingface') AS huggingface_at,
    argMaxIf(downloads_all_time, observed_at, source = 'modelscope') AS modelscope,
    maxIf(toNullable(observed_at), source = 'modelscope') AS modelscope_at
FROM downloads_log FINAL
WHERE state IN ('first', 'rise', 'idle', 'correction')
GROUP BY model_id
COMMENT 'Latest cumulative downloads by source, side by side: one row per model';

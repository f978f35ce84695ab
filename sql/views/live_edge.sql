-- A counter is held for at most 4 days, so five days before a scrape the rows of all models that it observed exist:
-- the last full week ends there. A model without rows in that week is observed no more.
CREATE OR REPLACE VIEW live_edge
(
    model_id String COMMENT 'Model id, as its hub spells it',
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope',
    last_day Date COMMENT 'Last UTC day with daily downloads',
    week_downloads UInt64
        COMMENT 'Downloads in the last full week: the seven UTC days that end 5 days before the day of the latest scrape'
)
AS SELECT
    g.model_id AS model_id, g.source AS source, max(g.day) AS last_day,
    sumIf(ifNull(g.downloads, 0), g.day <= s.week_end) AS week_downloads
FROM daily_log AS g FINAL
INNER JOIN
(
    SELECT source, toDate(max(observed_at)) - 5 AS week_end FROM scrapes_log GROUP BY source
) AS s ON s.source = g.source
WHERE g.day > s.week_end - 7
    -- The same for all sources: it leaves few rows to join.
    AND g.day > (SELECT min(at) FROM (SELECT toDate(max(observed_at)) - 12 AS at FROM scrapes_log GROUP BY source))
GROUP BY model_id, source
COMMENT 'How far daily downloads reach: one row per model and source with rows in or after the last full week';

CREATE OR REPLACE VIEW finished_days
(
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope',
    day Date
        COMMENT 'Last UTC day that tracked models with 95% of the downloads of the last full week reach'
)
AS SELECT
    source,
    -- The last day before which models with at most 5% end.
    arrayMax(arrayFilter(
        (day, sum, own) -> 20 * (sum - own) <= arraySum(edge.2), edge.1, arrayCumSum(edge.2), edge.2
    )) AS day
FROM
(
    SELECT source, sumMap([last_day], [week_downloads]) AS edge
    FROM live_edge
    WHERE model_id IN (SELECT model_id FROM models WHERE tracked)
    GROUP BY source
)
COMMENT 'Days up to which totals of tracked models are finished: one row per source';

-- Totals wait for none of them.
CREATE OR REPLACE VIEW dead_counters
(
    model_id String COMMENT 'Model id, as its hub spells it',
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope',
    reason String
        COMMENT 'unchanged = for 35 days, in which 20 downloads or more were to be expected; not observed = no more',
    since Date COMMENT 'Last UTC day with downloads, or with an observed counter',
    rate Float64 COMMENT 'Downloads a day in the 7 days until then'
)
AS SELECT
    e.model_id AS model_id, e.source AS source, if(e.observed, 'unchanged', 'not observed') AS reason,
    e.until AS since, sum(ifNull(g.downloads, 0)) / count() AS rate
FROM daily_log AS g FINAL
INNER JOIN
(
    SELECT
        model_id, source, last_day >= s.latest_day - 11 AS observed, if(observed, changed, last_day) AS until
    FROM
    (
        SELECT
            model_id, source, max(day) AS last_day, min(day) AS first_day,
            greatest(maxIf(day, downloads > 0 OR correction > 0), first_day) AS changed
        FROM daily_log FINAL
        GROUP BY model_id, source
    ) AS r
    INNER JOIN
    (
        SELECT source, toDate(max(observed_at)) AS latest_day FROM scrapes_log GROUP BY source
    ) AS s ON s.source = r.source
    WHERE NOT observed OR last_day >= changed + 35
) AS e ON e.model_id = g.model_id AND e.source = g.source
WHERE g.day > e.until - 7 AND g.day <= e.until
GROUP BY model_id, source, e.observed, e.until
HAVING NOT e.observed OR 35 * rate >= 20
COMMENT 'Counters that are observed no more or dead: one row per model and source';

-- Parameterised, so that a panel reads the partitions of its own time only:
-- SELECT * FROM counter_health_since(since = today() - 30). `held_hours` is the median time that those held are unchanged.
--
-- A model counts on a UTC day on which its counter was observed. It is
-- - busy, when its counter grew by at least 20 a day from the first to the last of the eight days before that have a knot,
--   from the last knot of the one to that of the other;
-- - held, when its last observation of the day is;
-- - fallen, when an observation of the day is rolled back or a correction.
CREATE OR REPLACE VIEW counter_health_since
AS
WITH
days AS
(
    SELECT
        d.source AS source, d.model_id AS model_id, toDate(d.observed_at) AS day,
        argMax(d.state, d.observed_at) = 'held' AS is_held,
        max(d.state IN ('rollback', 'correction')) AS is_fallen,
        sum(ifNull(d.correction, 0)) AS corrected,
        max(d.observed_at) AS latest,
        maxIf(toNullable(d.observed_at), d.state IN ('first', 'rise', 'correction')) AS changed_at,
        -- Corrections added back: what it would be without them.
        argMaxIf(d.downloads_all_time, d.observed_at, d.state IN ('first', 'rise', 'idle', 'correction')) AS total,
        max(d.state IN ('first', 'rise', 'idle', 'correction')) AS is_known
    FROM downloads_log AS d FINAL
    WHERE d.state IS NOT NULL AND d.observed_at >= toDateTime64({since:Date}, 3, 'UTC') - INTERVAL 8 DAY
    GROUP BY source, model_id, day
),
rated AS
(
    SELECT
        source, model_id, day, is_held, is_fallen, corrected,
        dateDiff('second', max(changed_at) OVER earlier_days, latest) / 3600 AS hours,
        (max(grown) OVER eight_days - min(grown) OVER eight_days)
            >= 20 * (max(known_on) OVER eight_days - min(known_on) OVER eight_days) AS grew,
        max(known_on) OVER eight_days > min(known_on) OVER eight_days AND grew AS is_busy
    FROM
    (
        SELECT
            *, if(is_known, toNullable(day), NULL) AS known_on,
            if(is_known, total + sum(corrected) OVER (PARTITION BY source, model_id ORDER BY day), NULL) AS grown
        FROM days
    )
    WINDOW
        earlier_days AS (PARTITION BY source, model_id ORDER BY day),
        eight_days AS (PARTITION BY source, model_id ORDER BY day RANGE BETWEEN 8 PRECEDING AND 1 PRECEDING)
)
SELECT
    r.day AS day, r.source AS source,
    multiIf(
        m.created_at IS NULL, 'unknown', m.created_at < toDateTime64('2023-01-01', 3, 'UTC'), 'before 2023',
        m.created_at < toDateTime64('2025-01-01', 3, 'UTC'), '2023-2024', '2025 and after'
    ) AS age_band,
    countIf(r.is_busy) AS busy,
    countIf(r.is_busy AND r.is_held) / nullIf(busy, 0) AS held,
    countIf(r.is_busy AND r.is_fallen) / nullIf(busy, 0) AS fallen,
    sum(r.corrected) AS corrections,
    quantileExactIf(0.5)(r.hours, r.is_busy AND r.is_held) AS held_hours
FROM rated AS r
LEFT JOIN (SELECT model_id, created_at FROM models_log FINAL) AS m ON m.model_id = r.model_id
WHERE r.day >= {since:Date}
GROUP BY day, source, age_band
HAVING busy > 0 OR corrections > 0
COMMENT 'Whether hubs renew their counters, from the parameter `since` on: the columns of `counter_health`, and held_hours';

CREATE OR REPLACE VIEW counter_health
(
    day Date COMMENT 'UTC day',
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope',
    age_band LowCardinality(String)
        COMMENT 'Creation of the repository: before 2023, 2023-2024, 2025 and after; unknown = the hub states none',
    busy UInt64 COMMENT 'Observed models whose counter grew by at least 20 a day in the week before',
    held Nullable(Float64) COMMENT 'Share of the busy ones whose counter was not renewed at their last observation of the day',
    fallen Nullable(Float64) COMMENT 'Share of the busy ones whose counter was below an earlier value, or was corrected',
    corrections UInt64 COMMENT 'Downloads that corrections of the day took away, from busy models and others'
)
AS SELECT day, source, age_band, busy, held, fallen, corrections
FROM counter_health_since(since = '1970-01-01')
COMMENT 'Whether hubs renew their counters: one row per UTC day, source and age band';

-- Parameterised, so that a panel reads the partitions of its own time only:
-- SELECT * FROM counter_health_since(since = today() - 30). `held_hours` is the median time that those held are unchanged.
-- It reads two weeks more, and so counts no model as busy whose counter is unchanged for longer; `counter_health` reads all.
--
-- A model counts on a UTC day on which its counter was observed. It is
-- - busy, when its counter rose by at least 20 a day before its latest change: from observation to observation, since the
--   latest one at least 7 days before that change, or else its first;
-- - held, when it is busy and its last observation of the day is held;
-- - fallen, when it is busy and an observation of the day is a correction or rolled back.
CREATE OR REPLACE VIEW counter_health_since
AS
WITH
grown AS
(
    SELECT
        d.source AS source, d.model_id AS model_id, toUnixTimestamp64Milli(d.observed_at) AS ms, d.state AS state,
        ifNull(d.correction, 0) AS taken, assumeNotNull(d.downloads_all_time) AS total,
        lagInFrame(toNullable(total)) OVER (
            PARTITION BY source, model_id ORDER BY ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
        ) AS total_before
    FROM downloads_log AS d FINAL
    WHERE d.state IS NOT NULL AND d.observed_at >= toDateTime64({since:Date}, 3, 'UTC') - INTERVAL 14 DAY
),
risen AS
(
    SELECT
        source, model_id, ms, state, taken, total_before IS NULL OR total != total_before AS changed,
        sum(if(total > total_before, total - assumeNotNull(total_before), 0)) OVER until_then AS rise,
        min(ms) OVER until_then AS first_ms
    FROM grown
    WINDOW until_then AS (PARTITION BY source, model_id ORDER BY ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
rated AS
(
    SELECT
        source, model_id, ms, state, taken, changed,
        rise - max(rise) OVER a_week_before AS rise_since,
        ms - ifNull(max(toNullable(ms)) OVER a_week_before, first_ms) AS took,
        -- Without a product that could pass 2^63.
        took > 0 AND rise_since >= intDiv(20 * took + 86399999, 86400000) AS rose
    FROM risen
    WINDOW a_week_before AS (
        PARTITION BY source, model_id ORDER BY ms RANGE BETWEEN UNBOUNDED PRECEDING AND 604800000 PRECEDING
    )
),
days AS
(
    SELECT
        source, model_id, toDate(fromUnixTimestamp64Milli(ms, 'UTC')) AS day, argMax(state, ms) = 'held' AS is_held,
        max(state IN ('rollback', 'correction')) AS is_fallen, sum(taken) AS corrected, max(ms) AS latest_ms,
        argMaxIf(toNullable(rose), ms, changed) AS rose_then, maxIf(ms, changed) AS changed_ms
    FROM rated
    GROUP BY source, model_id, day
),
judged AS
(
    SELECT
        source, model_id, day, is_held, is_fallen, corrected, ifNull(anyLast(rose_then) OVER until_then, false) AS is_busy,
        (latest_ms - max(changed_ms) OVER until_then) / 3600000 AS hours
    FROM days
    WINDOW until_then AS (PARTITION BY source, model_id ORDER BY day)
)
SELECT
    j.day AS day, j.source AS source,
    multiIf(
        m.created_at IS NULL, 'unknown', m.created_at < toDateTime64('2023-01-01', 3, 'UTC'), 'before 2023',
        m.created_at < toDateTime64('2025-01-01', 3, 'UTC'), '2023-2024', '2025 and after'
    ) AS age_band,
    countIf(j.is_busy) AS busy, countIf(j.is_busy AND j.is_held) AS held, countIf(j.is_busy AND j.is_fallen) AS fallen,
    sum(j.corrected) AS corrections, quantileExactIf(0.5)(toNullable(j.hours), j.is_busy AND j.is_held) AS held_hours
FROM judged AS j
LEFT JOIN (SELECT model_id, created_at FROM models_log FINAL) AS m ON m.model_id = j.model_id
WHERE j.day >= {since:Date}
GROUP BY day, source, age_band
COMMENT 'Whether hubs renew their counters, from the parameter `since` on: `counter_health` in counts, and held_hours';

CREATE OR REPLACE VIEW counter_health
(
    day Date COMMENT 'UTC day',
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope',
    age_band LowCardinality(String)
        COMMENT 'Creation of the repository: before 2023, 2023-2024, 2025 and after; unknown = the hub states none',
    busy UInt64 COMMENT 'Number of models observed on the day whose counter rose by at least 20 a day before its latest change',
    held Nullable(Float64)
        COMMENT 'Share of the busy ones whose counter was not renewed at their last observation of the day; null = none busy',
    fallen Nullable(Float64)
        COMMENT 'Share of the busy ones whose counter was below an earlier value, or was corrected; null = none busy',
    corrections UInt64 COMMENT 'Downloads that corrections of the day took away, from busy models and others'
)
AS SELECT
    day, source, age_band, busy, h.held / nullIf(busy, 0) AS held, h.fallen / nullIf(busy, 0) AS fallen, corrections
FROM counter_health_since(since = '1970-01-15') AS h
COMMENT 'Whether hubs renew their counters: one row per UTC day, source and age band';

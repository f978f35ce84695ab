-- The models behind baselines by size bin and whole-day age, the one with the most downloads first, as of a timestamp.
WITH
known AS
(
    SELECT p.size_bin AS size_bin, p.age_days AS age_days, p.model_id AS model_id, p.cumulative AS cumulative, p.as_of AS as_of
    -- past:
    FROM points_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS p
    -- :past
    -- now:
    FROM points AS p
    -- :now
    WHERE (empty({size_bin:Array(String)}) OR p.size_bin IN {size_bin:Array(String)})
        AND (empty({age_days:Array(UInt16)}) OR p.age_days IN {age_days:Array(UInt16)})
),
eligible AS
(
    -- live_fixed:
    SELECT model_id
    FROM latest_log FINAL
    WHERE tracked AND released_at IS NOT NULL AND cumulative IS NOT NULL
        AND (empty({size_bin:Array(String)}) OR size_bin IN {size_bin:Array(String)})
    ORDER BY cumulative DESC, model_id
    LIMIT 10 BY size_bin
    -- :live_fixed
    -- live:
    SELECT model_id
    -- past:
    FROM models_as_of(moment = {as_of:DateTime64(3, 'UTC')})
    -- :past
    -- now:
    FROM models
    -- :now
    WHERE tracked
    -- :live
),
ranked AS
(
    SELECT
        size_bin, age_days, model_id, cumulative, as_of,
        row_number() OVER (PARTITION BY size_bin, age_days ORDER BY cumulative DESC, model_id) AS rank
    FROM known
    WHERE model_id IN (SELECT model_id FROM eligible)
)
SELECT
    {baseline:String} AS baseline, toString(r.size_bin) AS size_bin, r.age_days AS age_days, toUInt8(r.rank) AS rank,
    r.model_id AS model_id, toString(m.org) AS org, toString(m.region) AS region, m.released_at AS released_at,
    r.cumulative AS cumulative, r.as_of AS as_of
FROM ranked AS r
-- past:
INNER JOIN models_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS m ON m.model_id = r.model_id
-- :past
-- now:
INNER JOIN (SELECT model_id, org, region, released_at FROM models WHERE model_id IN (SELECT model_id FROM ranked WHERE rank <= 10)) AS m
    ON m.model_id = r.model_id
-- :now
WHERE r.rank <= 10

-- RAM by age in whole days, as of a timestamp.
SELECT
    toString(b.baseline) AS baseline, p.model_id AS model_id, toString(m.org) AS org, toString(m.region) AS region,
    toString(p.size_bin) AS size_bin, m.total_params_b AS total_params_b, m.released_at AS released_at, m.tracked AS tracked,
    p.age_days AS age_days, p.as_of AS as_of, p.cumulative AS cumulative, b.downloads AS baseline_downloads, b.peers AS peers,
    p.cumulative / nullIf(b.downloads, 0) AS ram, p.capped / nullIf(b.downloads, 0) AS ram_capped
FROM
(
    -- past:
    SELECT * FROM capped_as_of(moment = {as_of:DateTime64(3, 'UTC')})
    WHERE true
    -- :past
    -- now:
    SELECT size_bin, age_days, model_id, assumeNotNull(points_log.cumulative) AS cumulative, capped, as_of
    FROM points_log FINAL
    WHERE points_log.cumulative IS NOT NULL
    -- :now
        AND (empty({age_days:Array(UInt16)}) OR age_days IN {age_days:Array(UInt16)})
        AND (empty({model:Array(String)}) OR model_id IN {model:Array(String)})
) AS p
INNER JOIN
(
    SELECT *
    -- past:
    FROM baselines_as_of(moment = {as_of:DateTime64(3, 'UTC')})
    -- :past
    -- now:
    FROM baselines
    -- :now
    WHERE baseline = {baseline:String}
) AS b ON b.size_bin = p.size_bin AND b.age_days = p.age_days
-- past:
INNER JOIN models_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS m ON m.model_id = p.model_id
-- :past
-- now:
INNER JOIN models AS m ON m.model_id = p.model_id
-- :now
WHERE (empty({org:Array(String)}) OR m.org IN {org:Array(String)})
    AND (empty({region:Array(String)}) OR ifNull(toString(m.region), 'unreviewed') IN {region:Array(String)})
    AND (empty({size_bin:Array(String)}) OR p.size_bin IN {size_bin:Array(String)})
    AND ({tracked:Nullable(Bool)} IS NULL OR m.tracked = {tracked:Nullable(Bool)})

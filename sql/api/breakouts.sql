-- Breakouts: the latest as stored; those of an earlier timestamp detected again in the RAM known by then.
-- past:
WITH
walks AS
(
    SELECT
        p.model_id AS model_id, any(p.size_bin) AS size_bin,
        arraySort(groupArray((p.age_days, p.as_of, p.cumulative, assumeNotNull(b.downloads)))) AS walk,
        arrayFirstIndex(
            one -> one.1 BETWEEN {min_age:UInt16} AND {max_age:UInt16} AND one.3 / one.4 >= 1, walk
        ) AS crossing,
        arrayFirstIndex((one, at) -> at > crossing AND one.3 / one.4 < 0.9, walk, arrayEnumerate(walk)) AS ending
    FROM points_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS p
    INNER JOIN
    (
        SELECT * FROM baselines_as_of(moment = {as_of:DateTime64(3, 'UTC')}) WHERE baseline = {baseline:String} AND downloads > 0
    ) AS b ON b.size_bin = p.size_bin AND b.age_days = p.age_days
    GROUP BY model_id
    HAVING crossing > 0
),
crossings AS
(
    SELECT
        model_id, toString(w.size_bin) AS size_bin, walk[crossing].2 AS crossed_at, walk[crossing].1 AS age_days,
        walk[crossing].3 / walk[crossing].4 AS ram, if(ending > 0, toNullable(walk[ending].2), NULL) AS ended_at,
        -- RAM with no day above 10 times the median day so far, from the crossing on.
        arrayMap(
            point -> (
                arraySort(arrayMap(one -> one.2, arrayFilter(one -> one.1 <= point.1, a.known))) AS sorted,
                intDiv(length(sorted), 2) AS middle,
                if(length(sorted) % 2 = 1, 10 * sorted[middle + 1], 5 * (sorted[middle] + sorted[middle + 1])) AS cap,
                if(length(sorted) < 2, NULL, greatest(
                    toInt64(point.3) - arraySum(one -> greatest(one - cap, 0), sorted)
                        - greatest(a.before - cap * a.days_before, 0), 0
                ) / point.4)
            ).4,
            arrayFilter(one -> one.1 <= {max_age:UInt16}, arraySlice(walk, crossing))
        ) AS capped,
        arrayFirstIndex(one -> ifNull(one >= 1, false), capped) AS confirmed,
        if(confirmed > 0, toNullable(walk[crossing + confirmed - 1].2), NULL) AS confirmed_at, capped[1] AS ram_capped,
        greatest(
            a.before / a.days_before, toFloat64(arrayMax(one -> if(one.1 <= age_days, one.2, 0), a.known))
        ) / nullIf(walk[crossing].3, 0) AS top_day_share
    FROM walks AS w
    INNER JOIN aged_days_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS a ON a.model_id = w.model_id
)
-- :past
-- now:
WITH crossings AS
(
    SELECT
        model_id, toString(b.size_bin) AS size_bin, crossed_at, age_days, ram, ended_at, confirmed_at, ram_capped,
        top_day_share
    FROM breakouts_log AS b FINAL
    WHERE NOT retracted AND baseline = {baseline:String}
)
-- :now
SELECT
    {baseline:String} AS baseline, w.model_id AS model_id, toString(m.org) AS org, toString(m.region) AS region,
    w.size_bin AS size_bin, m.total_params_b AS total_params_b, m.released_at AS released_at, w.crossed_at AS crossed_at,
    w.age_days AS age_days, w.ram AS ram, w.ended_at AS ended_at, if(confirmed_at IS NULL, 'burst', 'confirmed') AS status,
    w.confirmed_at AS confirmed_at, w.ram_capped AS ram_capped, w.top_day_share AS top_day_share
FROM crossings AS w
-- past:
INNER JOIN models_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS m ON m.model_id = w.model_id
-- :past
-- now:
INNER JOIN models AS m ON m.model_id = w.model_id
-- :now
WHERE (empty({model:Array(String)}) OR w.model_id IN {model:Array(String)})
    AND (empty({org:Array(String)}) OR m.org IN {org:Array(String)})
    AND (empty({region:Array(String)}) OR ifNull(toString(m.region), 'unreviewed') IN {region:Array(String)})
    AND (empty({size_bin:Array(String)}) OR w.size_bin IN {size_bin:Array(String)})
    AND ({lasting:Nullable(Bool)} IS NULL OR isNull(ended_at) = {lasting:Nullable(Bool)})
    AND (empty({status:Array(String)}) OR status IN {status:Array(String)})
    AND ({since:Nullable(Date)} IS NULL OR toDate(crossed_at) >= {since:Nullable(Date)})
    AND ({until:Nullable(Date)} IS NULL OR toDate(crossed_at) <= {until:Nullable(Date)})

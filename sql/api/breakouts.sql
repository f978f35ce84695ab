-- Breakouts: the latest as stored; those of an earlier timestamp detected again in the RAM known by then.
-- past:
WITH
walks AS
(
    SELECT
        p.model_id AS model_id, any(p.size_bin) AS size_bin,
        arraySort(groupArray((p.age_days, p.as_of, p.cumulative / assumeNotNull(b.downloads)))) AS walk,
        arrayFirstIndex(one -> one.1 BETWEEN {min_age:UInt16} AND {max_age:UInt16} AND one.3 >= 1, walk) AS crossing,
        arrayFirstIndex((one, at) -> at > crossing AND one.3 < 0.9, walk, arrayEnumerate(walk)) AS ending
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
        model_id, toString(size_bin) AS size_bin, walk[crossing].2 AS crossed_at, walk[crossing].1 AS age_days,
        walk[crossing].3 AS ram, if(ending > 0, toNullable(walk[ending].2), NULL) AS ended_at
    FROM walks
)
-- :past
-- now:
WITH crossings AS
(
    SELECT model_id, toString(b.size_bin) AS size_bin, crossed_at, age_days, ram, ended_at
    FROM breakouts_log AS b FINAL
    WHERE NOT retracted AND baseline = {baseline:String}
)
-- :now
SELECT
    {baseline:String} AS baseline, w.model_id AS model_id, toString(m.org) AS org, toString(m.region) AS region,
    w.size_bin AS size_bin, m.total_params_b AS total_params_b, m.released_at AS released_at, w.crossed_at AS crossed_at,
    w.age_days AS age_days, w.ram AS ram, w.ended_at AS ended_at
FROM crossings AS w
INNER JOIN models AS m ON m.model_id = w.model_id
WHERE (empty({model:Array(String)}) OR w.model_id IN {model:Array(String)})
    AND (empty({org:Array(String)}) OR m.org IN {org:Array(String)})
    AND (empty({region:Array(String)}) OR ifNull(toString(m.region), 'unreviewed') IN {region:Array(String)})
    AND (empty({size_bin:Array(String)}) OR w.size_bin IN {size_bin:Array(String)})
    AND ({lasting:Nullable(Bool)} IS NULL OR isNull(ended_at) = {lasting:Nullable(Bool)})
    AND ({since:Nullable(Date)} IS NULL OR toDate(crossed_at) >= {since:Nullable(Date)})
    AND ({until:Nullable(Date)} IS NULL OR toDate(crossed_at) <= {until:Nullable(Date)})

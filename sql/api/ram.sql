-- Rolling RAM of every model up to a year old that has one, at its last knot as of a timestamp.
-- past:
WITH
aged AS
(
    SELECT
        m.size_bin AS size_bin, s.model_id AS model_id, m.org AS org, m.region AS region, m.total_params_b AS total_params_b,
        assumeNotNull(m.released_at) AS released_on, m.tracked AS tracked, s.observed_at AS at, s.cumulative AS total,
        (toUnixTimestamp64Milli(at) - toUnixTimestamp64Milli(toDateTime64(released_on, 3, 'UTC'))) / 86400000 AS exact_age,
        toInt32(floor(exact_age)) AS whole_age
    FROM latest_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS s
    INNER JOIN models_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS m ON m.model_id = s.model_id
    WHERE m.size_bin IS NOT NULL AND m.released_at IS NOT NULL
),
chosen AS
(
    SELECT size_bin, age_days, peers, downloads
    FROM baselines_as_of(moment = {as_of:DateTime64(3, 'UTC')})
    WHERE baseline = {baseline:String}
),
curve AS
(
    SELECT
        l.size_bin AS size_bin, l.age_days AS age_days, l.downloads AS low,
        if(h.peers = 0, NULL, h.downloads) AS high, l.peers AS low_peers, h.peers AS high_peers
    FROM chosen AS l
    LEFT JOIN chosen AS h ON h.size_bin = l.size_bin AND h.age_days = l.age_days + 1
),
-- What the last point has above its capped value. In a tuple: argMax skips null.
excess AS
(
    SELECT size_bin, model_id, argMax(tuple(cumulative - capped), age_days).1 AS excess
    FROM capped_as_of(moment = {as_of:DateTime64(3, 'UTC')})
    GROUP BY size_bin, model_id
),
measured AS
(
    SELECT
        {baseline:String} AS baseline, c.model_id AS model_id, toString(c.org) AS org, toString(c.region) AS region,
        toString(c.size_bin) AS size_bin, c.total_params_b AS total_params_b, c.released_on AS released_at,
        c.tracked AS tracked, c.exact_age AS age_days, c.at AS as_of, c.total AS cumulative,
        if(c.exact_age = c.whole_age, b.low, b.low + (b.high - b.low) * (c.exact_age - c.whole_age)) AS baseline_downloads,
        if(c.exact_age = c.whole_age, b.low_peers, least(b.low_peers, b.high_peers)) AS peers,
        c.total / nullIf(baseline_downloads, 0) AS ram,
        if(e.excess IS NULL, NULL, greatest(c.total - e.excess, 0)) / nullIf(baseline_downloads, 0) AS ram_capped
    FROM aged AS c
    LEFT JOIN excess AS e ON e.size_bin = c.size_bin AND e.model_id = c.model_id
    INNER JOIN curve AS b ON b.size_bin = c.size_bin AND b.age_days = c.whole_age
    WHERE c.exact_age >= 0 AND c.exact_age <= 365
)
-- :past
-- now:
WITH measured AS
(
    SELECT
        toString(baseline) AS baseline, model_id, toString(n.org) AS org, toString(n.region) AS region,
        toString(n.size_bin) AS size_bin, total_params_b, released_at, tracked, age_days, as_of, cumulative,
        baseline_downloads, peers, ram, ram_capped
    FROM ram_now AS n
    WHERE baseline = {baseline:String}
)
-- :now
SELECT
    baseline, model_id, org, region, size_bin, total_params_b, released_at, tracked, age_days, as_of, cumulative,
    baseline_downloads, peers, ram, ram_capped
FROM measured
WHERE (empty({model:Array(String)}) OR model_id IN {model:Array(String)})
    AND (empty({org:Array(String)}) OR org IN {org:Array(String)})
    AND (empty({region:Array(String)}) OR ifNull(region, 'unreviewed') IN {region:Array(String)})
    AND (empty({size_bin:Array(String)}) OR size_bin IN {size_bin:Array(String)})
    AND ({min_age:Nullable(Float64)} IS NULL OR age_days >= {min_age:Nullable(Float64)})
    AND ({max_age:Nullable(Float64)} IS NULL OR age_days <= {max_age:Nullable(Float64)})
    AND ({tracked:Nullable(Bool)} IS NULL OR tracked = {tracked:Nullable(Bool)})

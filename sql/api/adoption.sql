-- Models with their downloads and RAM, as of a timestamp.
WITH
facts AS
(
    SELECT
        model_id, toString(m.org) AS org, toString(m.region) AS region, toString(m.size_bin) AS size_bin, total_params_b,
        released_at, tracked
    -- past:
    FROM models_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS m
    -- :past
    -- now:
    FROM models AS m
    -- :now
    WHERE (empty({model:Array(String)}) OR model_id IN {model:Array(String)})
        AND (empty({org:Array(String)}) OR m.org IN {org:Array(String)})
        AND (empty({region:Array(String)}) OR ifNull(toString(m.region), 'unreviewed') IN {region:Array(String)})
        AND (empty({size_bin:Array(String)}) OR ifNull(toString(m.size_bin), 'unknown') IN {size_bin:Array(String)})
        AND ({tracked:Nullable(Bool)} IS NULL OR tracked = {tracked:Nullable(Bool)})
        AND ({released_from:Nullable(Date)} IS NULL OR released_at >= {released_from:Nullable(Date)})
        AND ({released_to:Nullable(Date)} IS NULL OR released_at <= {released_to:Nullable(Date)})
        AND arrayAll(
            word -> positionCaseInsensitiveUTF8(model_id, word) > 0,
            arrayFilter(word -> word != '', splitByChar(' ', {search:String}))
        )
),
counters AS
(
    -- past:
    SELECT model_id, toNullable(l.observed_at) AS at, toNullable(l.cumulative) AS total
    FROM latest_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS l
    WHERE model_id IN (SELECT model_id FROM facts WHERE size_bin IS NOT NULL AND released_at IS NOT NULL)
    -- :past
    -- now:
    SELECT model_id, l.observed_at AS at, l.cumulative AS total
    FROM latest_log AS l FINAL
    WHERE l.released_at IS NOT NULL
        AND model_id IN (SELECT model_id FROM facts WHERE size_bin IS NOT NULL AND released_at IS NOT NULL)
    -- :now
    UNION ALL
    -- The last knots of the others are not stored, since they have no RAM: until the end of their last whole day.
    SELECT
        model_id, toNullable(toDateTime64(max(day) + 1, 3, 'UTC')) AS at, toNullable(argMax(cumulative, day)) AS total
    -- past:
    FROM downloads_daily_as_of(moment = {as_of:DateTime64(3, 'UTC')})
    -- :past
    -- now:
    FROM downloads_daily
    -- :now
    WHERE model_id IN (SELECT model_id FROM facts WHERE size_bin IS NULL OR released_at IS NULL)
    GROUP BY model_id
),
adopted AS
(
    SELECT model_id, age_days, baseline_downloads, toNullable(peers) AS peers, ram
    FROM
    (
        -- include: ram
    )
)
SELECT
    f.model_id AS model_id, f.org AS org, f.region AS region, f.size_bin AS size_bin, f.total_params_b AS total_params_b,
    f.released_at AS released_at, f.tracked AS tracked, c.total AS downloads, c.at AS as_of,
    toNullable(a.age_days) AS age_days, toNullable(a.baseline_downloads) AS baseline_downloads, a.peers AS peers, a.ram AS ram
FROM facts AS f
LEFT JOIN counters AS c ON c.model_id = f.model_id
LEFT JOIN adopted AS a ON a.model_id = f.model_id

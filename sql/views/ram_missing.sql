-- Parameterised: SELECT * FROM ram_missing_of(baseline = 'live', models = ['org/model']); of all models if the list is empty.
-- `reason` and `detail` say why there is no rolling RAM, `curve_reason` and `curve_detail` why there is none at any whole
-- age; null = there is one. The page and `breakout top` show the details as they are.
CREATE OR REPLACE VIEW ram_missing_of
AS
WITH
wanted AS
(
    SELECT
        model_id, org, region, size_bin, size_disputed, released_at, tracked, toString(ifNull(size_bin, '')) AS bin
    FROM models_log FINAL
    WHERE empty({models:Array(String)}) OR model_id IN {models:Array(String)}
),
current AS
(
    SELECT
        model_id, toNullable(observed_at) AS at,
        (toUnixTimestamp64Milli(assumeNotNull(observed_at))
            - toUnixTimestamp64Milli(toDateTime64(assumeNotNull(released_at), 3, 'UTC'))) / 86400000 AS exact_age
    FROM latest_log FINAL
    WHERE released_at IS NOT NULL AND observed_at IS NOT NULL AND cumulative IS NOT NULL
        AND (empty({models:Array(String)}) OR model_id IN {models:Array(String)})
),
-- Rows of the grid within the first year, and the ages of those that are points.
first_year AS
(
    SELECT
        d.model_id AS model_id, count() AS days,
        groupArrayIf(toUInt16(d.day + 1 - w.released_on), d.basis != 'gap') AS ages
    FROM
    (
        SELECT model_id, day, basis FROM daily_log FINAL
        WHERE source = 'huggingface' AND (empty({models:Array(String)}) OR model_id IN {models:Array(String)})
    ) AS d
    INNER JOIN
    (
        SELECT model_id, assumeNotNull(released_at) AS released_on FROM wanted WHERE released_at IS NOT NULL
    ) AS w ON w.model_id = d.model_id
    WHERE d.day + 1 >= w.released_on AND d.day + 1 <= w.released_on + 365
    GROUP BY model_id
),
bins AS
(
    SELECT
        toString(size_bin) AS bin,
        CAST((groupArray(age_days), groupArray((peers, ifNull(downloads, 0)))), 'Map(UInt16, Tuple(UInt8, Float64))') AS by_age
    FROM baselines
    WHERE baseline = {baseline:String}
    GROUP BY bin
),
judged AS
(
    SELECT
        w.model_id AS model_id, w.org AS org, w.region AS region, w.size_bin AS size_bin, w.released_at AS released_at,
        w.tracked AS tracked, c.at AS observed_at, if(c.at IS NULL, NULL, toNullable(c.exact_age)) AS age_days,
        toUInt16(least(greatest(floor(ifNull(age_days, 0)), 0), 366)) AS whole_age, whole_age = age_days AS is_whole,
        b.by_age[whole_age] AS low, if(is_whole, low, b.by_age[toUInt16(whole_age + 1)]) AS high,
        if(age_days BETWEEN 0 AND 365, toNullable(least(low.1, high.1)), NULL) AS peers,
        ifNull(y.days, 0) AS days, toUInt8(arrayMax(age -> b.by_age[age].1, y.ages)) AS most_peers,
        multiIf(
            w.size_bin IS NULL AND w.size_disputed, 'size_disputed',
            w.size_bin IS NULL, 'no_size',
            w.released_at IS NULL, 'no_release_date',
            NULL
        ) AS unknown_fact,
        multiIf(
            unknown_fact IS NOT NULL, unknown_fact,
            age_days IS NULL, 'never_observed',
            age_days < 0, 'not_released',
            age_days > 365, 'too_old',
            peers < 10, 'too_few_peers',
            low.2 + high.2 = 0, 'idle_peers',
            NULL
        ) AS reason,
        multiIf(
            unknown_fact IS NOT NULL OR reason IN ('never_observed', 'not_released'), reason,
            days = 0 AND age_days > 365, 'too_old',
            days = 0, 'no_whole_day',
            empty(y.ages), 'observed_too_seldom',
            most_peers < 10, 'too_few_peers',
            NOT arrayExists(age -> b.by_age[age].2 > 0, y.ages), 'idle_peers',
            NULL
        ) AS curve_reason
    FROM wanted AS w
    LEFT JOIN current AS c ON c.model_id = w.model_id
    LEFT JOIN first_year AS y ON y.model_id = w.model_id
    LEFT JOIN bins AS b ON b.bin = w.bin
),
worded AS
(
    SELECT
        *,
        map(
            'size_disputed', 'disputed size', 'no_size', 'unknown size', 'no_release_date', 'unknown release date',
            'never_observed', 'downloads never observed', 'not_released', 'not released yet', 'too_old', 'older than a year',
            'no_whole_day', 'no whole day observed yet', 'observed_too_seldom', 'observed too seldom',
            'idle_peers', 'no downloads of its peers'
        ) AS details
    FROM judged
)
SELECT
    model_id, org, region, size_bin, released_at, tracked, observed_at, age_days, peers, reason,
    multiIf(
        reason IS NULL, NULL, reason = 'too_few_peers', concat(toString(peers), ' of 10 peers'), details[assumeNotNull(reason)]
    ) AS detail,
    curve_reason,
    multiIf(
        curve_reason IS NULL, NULL, curve_reason = 'too_few_peers', concat(toString(most_peers), ' of 10 peers'),
        details[assumeNotNull(curve_reason)]
    ) AS curve_detail
FROM worded
WHERE reason IS NOT NULL OR curve_reason IS NOT NULL
COMMENT 'Why models have no RAM, by the parameters `baseline` and `models`: one row per model without a RAM now or at any age';

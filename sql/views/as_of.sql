-- Parameterised views: SELECT * FROM baselines_as_of(moment = '2026-04-01 12:00:00'). They ignore later observations.
-- What is in `daily_log` now was known at the moment if its `known_at` is not later, else `daily_superseded` has it.
CREATE OR REPLACE VIEW downloads_daily_by_source_as_of
AS
SELECT model_id, source, day, downloads, cumulative, correction, basis
FROM daily_log FINAL
WHERE known_at <= {moment:DateTime64(3, 'UTC')}
UNION ALL
SELECT model_id, source, day, downloads, cumulative, correction, basis
FROM daily_superseded FINAL
WHERE known_at <= {moment:DateTime64(3, 'UTC')} AND superseded_at > {moment:DateTime64(3, 'UTC')}
COMMENT 'Daily downloads as known at the parameter `moment`, with the columns of `downloads_daily_by_source`';

CREATE OR REPLACE VIEW downloads_daily_as_of
AS
SELECT model_id, day, downloads, cumulative, correction, basis
FROM downloads_daily_by_source_as_of(moment = {moment:DateTime64(3, 'UTC')})
WHERE source = 'huggingface'
COMMENT 'Daily downloads on the Hub as known at the parameter `moment`, with the columns of `downloads_daily`';

-- The last knot lies in the day after the last day known then, or on the first day of the model.
CREATE OR REPLACE VIEW latest_as_of
AS
WITH knots AS
(
    SELECT model_id, observed_at AS at, assumeNotNull(downloads_all_time) AS total
    FROM downloads_log FINAL
    WHERE source = 'huggingface' AND at <= {moment:DateTime64(3, 'UTC')}
        AND ifNull(knot_since <= {moment:DateTime64(3, 'UTC')}, true)
        AND (state IN ('first', 'rise', 'idle', 'correction') OR knot_until > {moment:DateTime64(3, 'UTC')})
),
days AS
(
    SELECT model_id, max(day) AS last_day
    FROM downloads_daily_as_of(moment = {moment:DateTime64(3, 'UTC')})
    GROUP BY model_id
)
SELECT model_id, max(at) AS observed_at, argMax(total, at) AS cumulative
FROM
(
    SELECT model_id, at, total FROM knots WHERE (model_id, toDate(at)) IN (SELECT model_id, last_day + 1 FROM days)
    UNION ALL
    SELECT model_id, at, total FROM knots WHERE model_id NOT IN (SELECT model_id FROM days)
)
GROUP BY model_id
COMMENT 'Latest downloads on the Hub at the parameter `moment`: model_id, observed_at, cumulative';

CREATE OR REPLACE VIEW points_as_of
AS
SELECT
    m.size_bin AS size_bin, toUInt16(d.day + 1 - m.released_on) AS age_days, d.model_id AS model_id,
    d.cumulative AS cumulative, toDateTime64(d.day + 1, 3, 'UTC') AS as_of
FROM downloads_daily_as_of(moment = {moment:DateTime64(3, 'UTC')}) AS d
INNER JOIN
(
    SELECT model_id, toLowCardinality(assumeNotNull(size_bin)) AS size_bin, assumeNotNull(released_at) AS released_on
    FROM models_as_of(moment = {moment:DateTime64(3, 'UTC')})
    WHERE models_as_of.size_bin IS NOT NULL AND released_at IS NOT NULL
) AS m ON m.model_id = d.model_id
WHERE d.basis != 'gap' AND d.day + 1 >= m.released_on AND d.day + 1 <= m.released_on + 365
COMMENT 'Cumulative downloads at whole-day ages as known at the parameter `moment`, with the columns of `points`';

-- For a past moment `live` is computed from the points known then; frozen baselines never change. live_fixed and
-- live_cutoff are restated, so what they were then is not known.
CREATE OR REPLACE VIEW baselines_as_of
AS
SELECT baseline, size_bin, age_days, peers, downloads, as_of
FROM baselines
WHERE
    {moment:DateTime64(3, 'UTC')} >= (SELECT max(at) FROM (
        SELECT max(observed_at) AS at FROM scrapes_log WHERE source = 'huggingface'
        UNION ALL SELECT max(observed_at) FROM models_log
    ))
    OR baseline NOT IN ('live', 'live_fixed', 'live_cutoff')
UNION ALL
SELECT
    'live' AS baseline, size_bin, age_days, toUInt8(length(ten)) AS peers,
    if(peers = 10, (toFloat64(ten[5].1) + toFloat64(ten[6].1)) / 2, NULL) AS downloads,
    toNullable(arrayMax(one -> one.3, ten)) AS as_of
FROM
(
    SELECT
        size_bin, age_days,
        arraySlice(
            arraySort(one -> (-toInt128(one.1), one.2), groupArray((cumulative, model_id, p.as_of))), 1, 10
        ) AS ten
    FROM points_as_of(moment = {moment:DateTime64(3, 'UTC')}) AS p
    WHERE
        {moment:DateTime64(3, 'UTC')} < (SELECT max(at) FROM (
            SELECT max(observed_at) AS at FROM scrapes_log WHERE source = 'huggingface'
            UNION ALL SELECT max(observed_at) FROM models_log
        ))
        AND model_id IN (SELECT model_id FROM models_as_of(moment = {moment:DateTime64(3, 'UTC')}) WHERE tracked)
    GROUP BY size_bin, age_days
)
COMMENT 'Baselines as known at `moment`, with the columns of `baselines`; of a past one no live_fixed and live_cutoff';

CREATE OR REPLACE VIEW inference_tokens_as_of
AS
SELECT
    t.source AS source, t.day AS day, t.slug AS slug, t.base AS base_slug, t.tokens AS tokens, t.as_of AS as_of,
    if(n.name = '', NULL, n.open) AS open, if(n.name = '', NULL, n.model_id) AS model_id,
    if(n.name = '', NULL, n.org) AS org, if(n.name = '', NULL, n.region) AS region
FROM
(
    SELECT source, day, slug, splitByChar(':', slug)[1] AS base, tokens, as_of
    FROM inference_log FINAL
    WHERE (source, day, (as_of, version)) IN
    (
        SELECT source, day, max((as_of, version))
        FROM inference_log
        WHERE as_of <= {moment:DateTime64(3, 'UTC')}
        GROUP BY source, day
    )
) AS t
LEFT JOIN names AS n ON n.source = t.source AND n.name = t.base AND t.base != 'other'
COMMENT 'Tokens by the latest count at the parameter `moment`, with the columns of `inference_tokens`';

-- The days of models by the age at which they end, those within gaps too.
CREATE OR REPLACE VIEW aged_days_as_of
AS SELECT
    model_id,
    arraySort(groupArray((toUInt16(d.day + 1 - r.released_on), toInt64(d.cumulative), d.basis = 'gap'))) AS days,
    arraySort(groupArrayIf(
        (toUInt16(d.day + 1 - r.released_on), toInt64(assumeNotNull(d.downloads))),
        d.day >= r.released_on AND d.downloads IS NOT NULL
    )) AS known,
    arrayFirst(one -> NOT one.3, days) AS first_point,
    if(empty(known), first_point.1, known[1].1 - 1) AS first_age,
    toInt64(greatest(first_age, 1)) AS days_before,
    first_point.2
        - if(first_point.1 > first_age, arraySum(one -> if(one.1 <= first_point.1, one.2, 0), known), 0) AS before
FROM downloads_daily_as_of(moment = {moment:DateTime64(3, 'UTC')}) AS d
INNER JOIN
(
    SELECT model_id, assumeNotNull(released_at) AS released_on
    FROM models_as_of(moment = {moment:DateTime64(3, 'UTC')})
    WHERE released_at IS NOT NULL
) AS r ON r.model_id = d.model_id
WHERE d.day + 1 >= r.released_on AND d.day + 1 <= r.released_on + 365
GROUP BY model_id
COMMENT 'Days of models by age as known at the parameter `moment`, and their downloads before the first known day';

-- Stored values hold for points before which no day was restated since; those of the other points are computed.
CREATE OR REPLACE VIEW capped_as_of
AS
SELECT
    size_bin, age_days, p.model_id AS model_id, cumulative, p.as_of AS as_of,
    if(holds, stored, (
        arraySort(arrayMap(one -> one.2, arrayFilter(one -> one.1 <= age_days, a.known))) AS sorted,
        intDiv(length(sorted), 2) AS middle,
        if(length(sorted) % 2 = 1, 10 * sorted[middle + 1], 5 * (sorted[middle] + sorted[middle + 1])) AS cap,
        if(length(sorted) < 2, NULL, toUInt64(greatest(
            toInt64(cumulative) - arraySum(one -> greatest(one - cap, 0), sorted)
                - greatest(a.before - cap * a.days_before, 0), 0
        )))
    ).4) AS capped
FROM
(
    SELECT
        p.size_bin AS size_bin, p.age_days AS age_days, p.model_id AS model_id, p.cumulative AS cumulative, p.as_of AS as_of,
        k.capped AS stored,
        ifNull(k.cumulative = p.cumulative, false) AND ifNull(toDate(p.as_of) <= c.changed_on, true) AS holds,
        -- Days are joined to the points that are computed alone.
        if(holds, '', model_id) AS computed_id
    FROM points_as_of(moment = {moment:DateTime64(3, 'UTC')}) AS p
    LEFT JOIN (SELECT size_bin, age_days, model_id, cumulative, capped, as_of FROM points_log FINAL) AS k
        ON k.size_bin = p.size_bin AND k.age_days = p.age_days AND k.model_id = p.model_id AND k.as_of = p.as_of
    LEFT JOIN
    (
        SELECT model_id, toNullable(min(day)) AS changed_on
        FROM
        (
            SELECT model_id, day FROM daily_log FINAL
            WHERE source = 'huggingface' AND known_at > {moment:DateTime64(3, 'UTC')}
            UNION ALL
            SELECT model_id, day FROM daily_superseded FINAL
            WHERE source = 'huggingface' AND known_at <= {moment:DateTime64(3, 'UTC')}
                AND superseded_at > {moment:DateTime64(3, 'UTC')}
        )
        GROUP BY model_id
    ) AS c ON c.model_id = p.model_id
) AS p
LEFT JOIN aged_days_as_of(moment = {moment:DateTime64(3, 'UTC')}) AS a ON a.model_id = p.computed_id
COMMENT 'Points as known at the parameter `moment`, with the columns of `points` and `capped`: as `points_log` has it';

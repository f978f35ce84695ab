-- Parameterised views: SELECT * FROM baselines_as_of(moment = '2026-04-01 12:00:00'). They ignore later observations.
CREATE OR REPLACE VIEW latest_as_of
AS
SELECT model_id, max(at) AS observed_at, argMax(total, rank) AS cumulative
FROM
(
    SELECT model_id, cumulative AS total, observed_at AS at, rank
    FROM closings_log
    WHERE source = 'huggingface' AND day < toDate({moment:DateTime64(3, 'UTC')})
    UNION ALL
    -- The day of the moment ends with its last observation up to the moment.
    SELECT
        model_id, assumeNotNull(o.cumulative) AS total, o.observed_at AS at,
        bitShiftLeft(toUInt128(toUnixTimestamp64Milli(o.observed_at)), 64) + version AS rank
    FROM downloads_log AS o
    WHERE source = 'huggingface' AND o.cumulative IS NOT NULL
        AND o.observed_at >= toStartOfDay({moment:DateTime64(3, 'UTC')})
        AND o.observed_at <= {moment:DateTime64(3, 'UTC')}
)
GROUP BY model_id
COMMENT 'Latest clean downloads on the Hub at the parameter `moment`: model_id, observed_at, cumulative';

-- A point is known once its model was observed at or after the moment of the point.
CREATE OR REPLACE VIEW points_as_of
AS
SELECT
    p.size_bin AS size_bin, p.age_days AS age_days, p.model_id AS model_id, p.cumulative AS cumulative, p.as_of AS as_of
FROM points AS p
INNER JOIN latest_as_of(moment = {moment:DateTime64(3, 'UTC')}) AS l ON l.model_id = p.model_id
WHERE p.as_of <= l.observed_at
COMMENT 'Cumulative downloads at whole-day ages as known at the parameter `moment`, with the columns of `points`';

-- For a past moment `live` is computed from the points known then; frozen baselines never change. live_fixed and
-- live_cutoff are restated, so what they were then is not known.
CREATE OR REPLACE VIEW baselines_as_of
AS
WITH (SELECT max(observed_at) FROM latest_log) AS latest, ifNull({moment:DateTime64(3, 'UTC')} < latest, false) AS past
SELECT baseline, size_bin, age_days, peers, downloads, as_of
FROM baselines
WHERE NOT past OR baseline NOT IN ('live', 'live_fixed', 'live_cutoff')
UNION ALL
WITH (SELECT max(observed_at) FROM latest_log) AS latest, ifNull({moment:DateTime64(3, 'UTC')} < latest, false) AS past
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
    WHERE past
        AND (size_bin, model_id) IN
        (
            SELECT size_bin, model_id FROM latest_log FINAL WHERE tracked AND released_at IS NOT NULL
        )
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

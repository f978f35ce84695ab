-- Models and organisations whose name has every word of a text, the most downloaded first; without any, the nearest
-- names. Always of the latest registry.
WITH
lowerUTF8({search:String}) AS wanted,
arrayFilter(word -> word != '', splitByChar(' ', wanted)) AS words,
named AS
(
    SELECT
        'model' AS kind, model_id AS id, toString(m.org) AS org, toString(m.region) AS region,
        toString(size_bin) AS size_bin, toUInt64(1) AS models, toUInt64(tracked) AS tracked, lowerUTF8(id) AS text,
        lowerUTF8(splitByChar('/', id)[-1]) AS name
    FROM models AS m
    UNION ALL
    SELECT
        'organisation', o.org, o.org, toString(o.region), CAST(NULL AS Nullable(String)), models, tracked,
        lowerUTF8(o.org), lowerUTF8(o.org)
    FROM organisations AS o
),
parts AS
(
    SELECT
        kind, id, org, region, size_bin, models, tracked,
        multiIf(wanted IN (text, name), 'exact', startsWith(name, wanted) OR startsWith(text, wanted), 'prefix', 'part') AS match,
        0. AS distance
    FROM named
    WHERE kind IN {kind:Array(String)} AND arrayAll(word -> position(text, word) > 0, words)
),
-- Names with one or a few letters otherwise, and those that have most of the text.
near AS
(
    SELECT
        kind, id, org, region, size_bin, models, tracked, 'near' AS match,
        least(
            editDistanceUTF8(name, wanted) / greatest(lengthUTF8(name), lengthUTF8(wanted)),
            editDistanceUTF8(text, wanted) / greatest(lengthUTF8(text), lengthUTF8(wanted)),
            if(lengthUTF8(wanted) < 5, 1, 1 - ngramSearchUTF8(text, wanted))
        ) AS distance
    FROM named
    WHERE kind IN {kind:Array(String)} AND distance <= 0.6 AND (SELECT count() FROM parts) = 0
    ORDER BY distance, tracked DESC, id
    LIMIT 5
)
SELECT
    kind, id, org, region, size_bin, models, tracked, match,
    row_number() OVER (
        ORDER BY
            indexOf(['exact', 'prefix', 'part', 'near'], match), distance, kind = 'model', tracked > 0 DESC, downloads DESC, id
    ) AS place
FROM
(
    SELECT f.*, if(f.kind = 'model', ifNull(l.downloads, 0), f.tracked) AS downloads
    FROM (SELECT * FROM parts UNION ALL SELECT * FROM near) AS f
    LEFT JOIN
    (
        SELECT model_id, toNullable(max(cumulative)) AS downloads FROM latest_log FINAL GROUP BY model_id
    ) AS l ON l.model_id = f.id
)

-- Models and organisations whose name has every word of a text, the most downloaded first; without any, the nearest
-- names. Always of the latest registry.
WITH
lowerUTF8({search:String}) AS wanted,
arrayFilter(word -> word != '', splitByChar(' ', wanted)) AS words,
-- Evaluated first, so that either only parts are looked for, or only near names.
(
    SELECT count() > 0 FROM models_log
    WHERE has({kind:Array(String)}, 'model') AND arrayAll(word -> position(lowerUTF8(model_id), word) > 0, words)
        OR has({kind:Array(String)}, 'organisation') AND arrayAll(word -> position(lowerUTF8(org), word) > 0, words)
) AS found,
named AS
(
    SELECT
        'model' AS kind, model_id AS id, toString(m.org) AS org, toString(m.region) AS region,
        toString(size_bin) AS size_bin, toUInt64(1) AS models, toUInt64(tracked) AS tracked, lowerUTF8(id) AS text,
        lowerUTF8(splitByChar('/', id)[-1]) AS name
    FROM models AS m
    WHERE has({kind:Array(String)}, 'model')
    UNION ALL
    SELECT
        'organisation', o.org, o.org, toString(o.region), CAST(NULL AS Nullable(String)), models, tracked,
        lowerUTF8(o.org), lowerUTF8(o.org)
    FROM organisations AS o
    WHERE has({kind:Array(String)}, 'organisation')
),
matched AS
(
    SELECT
        kind, id, org, region, size_bin, models, tracked,
        multiIf(
            NOT found, 'near',
            wanted IN (text, name), 'exact',
            startsWith(name, wanted) OR startsWith(text, wanted), 'prefix',
            'part'
        ) AS match,
        -- Few letters otherwise, or most of the text.
        if(position(wanted, '/') > 0, text, name) AS compared,
        if(found, 0., least(
            editDistance(compared, wanted) / greatest(length(compared), length(wanted)),
            if(length(wanted) < 5, 1, 1 - ngramSearchUTF8(text, wanted))
        )) AS distance
    FROM named
    WHERE if(found, arrayAll(word -> position(text, word) > 0, words), distance <= 0.6)
)
SELECT kind, id, org, region, size_bin, models, tracked, match, place
FROM
(
    SELECT
        f.kind AS kind, f.id AS id, f.org AS org, f.region AS region, f.size_bin AS size_bin, f.models AS models, f.tracked AS tracked, f.match AS match,
        row_number() OVER (
            ORDER BY
                indexOf(['exact', 'prefix', 'part', 'near'], match), distance, f.kind = 'model', tracked > 0 DESC,
                if(f.kind = 'model', ifNull(l.downloads, 0), tracked) DESC, id
        ) AS place
    FROM matched AS f
    LEFT JOIN
    (
        -- For the order alone: a row that a merge will remove does not matter.
        SELECT model_id, toNullable(max(cumulative)) AS downloads FROM latest_log GROUP BY model_id
    ) AS l ON l.model_id = f.id
)
WHERE match != 'near' OR place <= 5

CREATE OR REPLACE VIEW sources
(
    source LowCardinality(String) COMMENT 'Name of the source in every table',
    title String COMMENT 'Display name',
    measures String COMMENT 'What is read from it',
    url String COMMENT 'Address, URL',
    licence String COMMENT 'Licence or terms of its data',
    as_of Nullable(DateTime64(3, 'UTC')) COMMENT 'Moment of its latest data here, UTC; null = none yet',
    citation String COMMENT 'Citation of its latest data'
)
AS SELECT
    s.source AS source, s.title AS title, s.measures AS measures, s.url AS url, s.licence AS licence, l.at AS as_of,
    replaceOne(
        s.citation, '{as_of}', ifNull(formatDateTime(l.at, '%Y-%m-%dT%H:%i:%SZ', 'UTC'), '(not read yet)')
    ) AS citation
FROM (SELECT * FROM sources_log FINAL) AS s
LEFT JOIN
(
    SELECT toString(source) AS source, max(toNullable(observed_at)) AS at FROM scrapes_log GROUP BY source
    UNION ALL
    -- The suffix -30d marks what the 30-day counter of a young repository says; the archive is the same.
    SELECT replaceRegexpOne(toString(origin), '-30d$', '') AS archive, max(toNullable(observed_at))
    FROM downloads_log WHERE origin NOT IN ('live', 'live-30d') GROUP BY archive
    UNION ALL
    SELECT 'tracked-models', max(toNullable(observed_at)) FROM models_log
    UNION ALL
    SELECT toString(source), max(toNullable(as_of)) FROM inference_log GROUP BY source
    UNION ALL
    SELECT toString(source), max(toNullable(observed_at)) FROM ratings_log GROUP BY source
) AS l ON l.source = s.source
COMMENT 'Sources of the data, their licences and citations: one row per source';

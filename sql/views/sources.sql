CREATE OR REPLACE VIEW sources
(
    source LowCardinality(String) COMMENT 'Name of the source in every table',
    title String COMMENT 'Its name for people',
    measures String COMMENT 'What is taken from it',
    url String COMMENT 'Where it is',
    licence String COMMENT 'Licence or terms of its numbers',
    as_of Nullable(DateTime64(3, 'UTC')) COMMENT 'Moment of its latest numbers here, UTC; null = none yet',
    citation String COMMENT 'How to cite its latest numbers'
)
AS SELECT
    s.source AS source, s.title AS title, s.measures AS measures, s.url AS url, s.licence AS licence, l.at AS as_of,
    replaceOne(s.citation, '{as_of}', ifNull(formatDateTime(l.at, '%Y-%m-%dT%H:%i:%SZ', 'UTC'), '(not read yet)')) AS citation
FROM (SELECT * FROM sources_log FINAL) AS s
LEFT JOIN
(
    SELECT toString(source) AS source, max(toNullable(observed_at)) AS at FROM scrapes_log GROUP BY source
    UNION ALL
    SELECT toString(origin), max(toNullable(observed_at)) FROM downloads_log WHERE origin != 'live' GROUP BY origin
    UNION ALL
    SELECT 'tracked-models', max(toNullable(observed_at)) FROM models_log
    UNION ALL
    SELECT toString(source), max(toNullable(as_of)) FROM inference_log GROUP BY source
    UNION ALL
    SELECT toString(source), max(toNullable(observed_at)) FROM scores_log GROUP BY source
) AS l ON l.source = s.source
COMMENT 'Where the numbers come from, their licences, and how to cite them';

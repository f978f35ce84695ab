CREATE OR REPLACE VIEW scrapes
(
    source LowCardinality(String) COMMENT 'Source of the counters',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the scrape, UTC',
    models UInt64 COMMENT 'Number of observations of the scrape',
    missing UInt64 COMMENT 'Number of models that it wanted and did not get',
    complete Bool COMMENT 'Whether no wanted model is missing'
)
AS SELECT
    s.source AS source, s.observed_at AS observed_at, s.models AS models, m.missing AS missing,
    toBool(s.complete) AS complete
FROM
(
    SELECT source, observed_at, sum(models) AS models, min(complete) AS complete
    FROM scrapes_log FINAL
    GROUP BY source, observed_at
) AS s
LEFT JOIN
(
    SELECT source, observed_at, uniqExact(model_id) AS missing FROM scrape_missing GROUP BY source, observed_at
) AS m ON m.source = s.source AND m.observed_at = s.observed_at
COMMENT 'Scrapes of download counters: one row per source and moment';

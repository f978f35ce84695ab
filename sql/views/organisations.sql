-- All models of an organisation have the same region.
CREATE OR REPLACE VIEW organisations
(
    org String COMMENT 'Organisation of the Hub, case matters',
    region LowCardinality(Nullable(String)) COMMENT 'us, china, eu, other, unknown; null = not reviewed',
    models UInt64 COMMENT 'Number of its models',
    tracked UInt64 COMMENT 'Number of its models on the tracked list'
)
AS SELECT
    org, argMax(toNullable(region), (region IS NOT NULL, observed_at, region)) AS region, count() AS models,
    countIf(tracked) AS tracked
FROM (SELECT toString(models.org) AS org, models.region AS region, tracked, observed_at FROM models)
GROUP BY org
COMMENT 'Organisations and their regions: one row per organisation';

CREATE OR REPLACE VIEW names
(
    source LowCardinality(String) COMMENT 'Source of the name: openrouter, arena, artificial-analysis',
    name String COMMENT 'The name as the source spells it, without a variant',
    title Nullable(String) COMMENT 'Display name in the source',
    vendor Nullable(String) COMMENT 'Vendor, according to the source',
    open Nullable(Bool) COMMENT 'Whether its weights can be downloaded; null = nobody has classified it',
    model_id Nullable(String) COMMENT 'Its weights on the Hub, reviewed',
    org Nullable(String) COMMENT 'Organisation of the Hub that publishes it: that of its weights, else the vendor''s',
    region LowCardinality(Nullable(String))
        COMMENT 'Headquarters of that organisation: us, china, eu, other, unknown; null = not reviewed',
    hint Nullable(String) COMMENT 'Its weights according to the source, not reviewed; no figure uses it',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment at which the source was read, UTC'
)
AS SELECT
    n.source AS source, n.name AS name, n.title AS title, n.vendor AS vendor, n.open AS open,
    n.model_id AS model_id, n.publisher AS org, o.region AS region, n.hint AS hint, n.observed_at AS observed_at
FROM
(
    SELECT
        * REPLACE(if(r.model_id = '', l.model_id, r.model_id) AS model_id),
        if(model_id IS NULL, org, splitByChar('/', assumeNotNull(model_id))[1]) AS publisher,
        ifNull(publisher, '') AS joined
    FROM (SELECT *, ifNull(model_id, '') AS weights FROM names_log FINAL) AS l
    LEFT JOIN renamed_models AS r ON r.name = l.weights
) AS n
LEFT JOIN organisations AS o ON o.org = n.joined
COMMENT 'Names of models in other sources, open or closed, with their models on the Hub: one row per source and name';

CREATE OR REPLACE VIEW unclassified_names
(
    source LowCardinality(String) COMMENT 'Source of the name: openrouter, arena, artificial-analysis',
    name String COMMENT 'The name as the source spells it, without a variant',
    title Nullable(String) COMMENT 'Display name in the source',
    hint Nullable(String) COMMENT 'Its weights according to the source, not reviewed',
    tokens UInt128 COMMENT 'Tokens of the name so far',
    latest_day Nullable(Date) COMMENT 'Last day with tokens'
)
AS SELECT
    n.source AS source, n.name AS name, n.title AS title, n.hint AS hint, ifNull(t.tokens, 0) AS tokens,
    t.latest_day AS latest_day
FROM (SELECT * FROM names WHERE open IS NULL) AS n
LEFT JOIN
(
    SELECT source, base_slug, sum(toUInt128(i.tokens)) AS tokens, max(toNullable(day)) AS latest_day
    FROM inference_tokens AS i
    GROUP BY source, base_slug
) AS t ON t.source = n.source AND t.base_slug = n.name
COMMENT 'Names that nobody has classified as open or closed, with their tokens: one row per source and name';

CREATE OR REPLACE VIEW names
(
    source LowCardinality(String) COMMENT 'Whose name: openrouter, arena, artificial-analysis',
    name String COMMENT 'The name as the source spells it, without a variant',
    title Nullable(String) COMMENT 'What the source shows to people',
    vendor Nullable(String) COMMENT 'Who makes it, as the source says',
    open Nullable(Bool) COMMENT 'Whether its weights can be downloaded; null = nobody has classified it',
    model_id Nullable(String) COMMENT 'Its weights on the Hub, reviewed',
    org Nullable(String) COMMENT 'The Hub''s organisation that publishes it: that of its weights, else the vendor''s',
    region LowCardinality(Nullable(String)) COMMENT 'Headquarters of that organisation: us, china, eu, other, unknown; null = not reviewed',
    hint Nullable(String) COMMENT 'Its weights as the source says, not reviewed; nothing is counted by it',
    observed_at DateTime64(3, 'UTC') COMMENT 'When the source was read, UTC'
)
AS SELECT
    n.source AS source, n.name AS name, n.title AS title, n.vendor AS vendor, n.open AS open,
    n.model_id AS model_id, n.publisher AS org, o.region AS region, n.hint AS hint, n.observed_at AS observed_at
FROM
(
    SELECT *, if(model_id IS NULL, org, splitByChar('/', assumeNotNull(model_id))[1]) AS publisher, ifNull(publisher, '') AS joined
    FROM names_log FINAL
) AS n
LEFT JOIN organisations AS o ON o.org = n.joined
COMMENT 'What names of other sources mean: open or closed, and which model of the Hub';

CREATE OR REPLACE VIEW unclassified_names
(
    source LowCardinality(String) COMMENT 'Whose name: openrouter, arena, artificial-analysis',
    name String COMMENT 'The name as the source spells it, without a variant',
    title Nullable(String) COMMENT 'What the source shows to people',
    hint Nullable(String) COMMENT 'Its weights as the source says, not reviewed',
    tokens UInt128 COMMENT 'Tokens counted under it so far',
    latest_day Nullable(Date) COMMENT 'Last day it had tokens'
)
AS SELECT
    n.source AS source, n.name AS name, n.title AS title, n.hint AS hint, ifNull(t.tokens, 0) AS tokens, t.latest_day AS latest_day
FROM (SELECT * FROM names WHERE open IS NULL) AS n
LEFT JOIN
(
    SELECT source, base_slug, sum(toUInt128(i.tokens)) AS tokens, max(toNullable(day)) AS latest_day
    FROM inference_tokens AS i
    GROUP BY source, base_slug
) AS t ON t.source = n.source AND t.base_slug = n.name
COMMENT 'Names that nobody has classified as open or closed, and how much they weigh';

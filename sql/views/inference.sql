CREATE OR REPLACE VIEW inference_tokens
(
    source LowCardinality(String) COMMENT 'Source of the count: openrouter',
    day Date COMMENT 'UTC day',
    slug String COMMENT 'Name with its variant; other = the rest of the day',
    base_slug String COMMENT 'Name without its variant',
    tokens UInt64 COMMENT 'Prompt and completion tokens, each provider''s own tokenizer',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment of the source''s latest count of this day, UTC',
    open Nullable(Bool) COMMENT 'Whether its weights can be downloaded; null = nobody has classified it, or other',
    model_id Nullable(String) COMMENT 'Its weights on the Hub',
    org Nullable(String) COMMENT 'Organisation of the Hub',
    region LowCardinality(Nullable(String)) COMMENT 'us, china, eu, other, unknown; null = not reviewed'
)
AS SELECT
    t.source AS source, t.day AS day, t.slug AS slug, t.base AS base_slug, t.tokens AS tokens, t.as_of AS as_of,
    if(n.name = '', NULL, n.open) AS open, if(n.name = '', NULL, n.model_id) AS model_id,
    if(n.name = '', NULL, n.org) AS org, if(n.name = '', NULL, n.region) AS region
FROM
(
    SELECT source, day, slug, splitByChar(':', slug)[1] AS base, tokens, as_of
    FROM inference_log FINAL
    WHERE (source, day, (as_of, version)) IN
    (
        SELECT source, day, max((as_of, version)) FROM inference_log GROUP BY source, day
    )
) AS t
LEFT JOIN names AS n ON n.source = t.source AND n.name = t.base AND t.base != 'other'
COMMENT 'Tokens by the latest count, with the model of each name: one row per source, day and name';

-- Exact: tokens are summed in 128 bits and divided last.
CREATE OR REPLACE VIEW inference_share
(
    source LowCardinality(String) COMMENT 'Source of the count: openrouter',
    day Date COMMENT 'UTC day',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment of the source''s latest count of this day, UTC',
    open_tokens UInt128 COMMENT 'Tokens of models with downloadable weights',
    closed_tokens UInt128 COMMENT 'Tokens of models without downloadable weights',
    unknown_tokens UInt128 COMMENT 'Tokens of names nobody has classified',
    other_tokens UInt128 COMMENT 'Tokens that the source does not attribute to a name',
    open_share Nullable(Float64) COMMENT 'open / (open + closed); null without classified tokens',
    unknown_ratio Nullable(Float64) COMMENT 'unknown / (open + closed)',
    error_bound Nullable(Float64)
        COMMENT 'Largest possible error of open_share, whatever the unknown are; check it if unknown_ratio > 0.01',
    lowest Nullable(Float64) COMMENT 'open / all tokens: as if all that is unknown or unnamed were closed',
    highest Nullable(Float64) COMMENT '1 - closed / all tokens: as if all that were open'
)
AS SELECT
    source, day, as_of, open_tokens, closed_tokens, unknown_tokens, other_tokens,
    toFloat64(open_tokens) / nullIf(toFloat64(open_tokens + closed_tokens), 0) AS open_share,
    toFloat64(unknown_tokens) / nullIf(toFloat64(open_tokens + closed_tokens), 0) AS unknown_ratio,
    unknown_ratio * greatest(open_share, 1 - open_share) / (1 + unknown_ratio) AS error_bound,
    toFloat64(open_tokens)
        / nullIf(toFloat64(open_tokens + closed_tokens + unknown_tokens + other_tokens), 0) AS lowest,
    toFloat64(open_tokens + unknown_tokens + other_tokens)
        / nullIf(toFloat64(open_tokens + closed_tokens + unknown_tokens + other_tokens), 0) AS highest
FROM
(
    SELECT
        source, day, max(t.as_of) AS as_of,
        sumIf(toUInt128(tokens), ifNull(open, false)) AS open_tokens,
        sumIf(toUInt128(tokens), NOT ifNull(open, true)) AS closed_tokens,
        sumIf(toUInt128(tokens), open IS NULL AND base_slug != 'other') AS unknown_tokens,
        sumIf(toUInt128(tokens), base_slug = 'other') AS other_tokens
    FROM inference_tokens AS t
    GROUP BY source, day
)
COMMENT 'Share of open models in all classified tokens: one row per source and day';

CREATE OR REPLACE VIEW inference_share_monthly
(
    source LowCardinality(String) COMMENT 'Source of the count: openrouter',
    month Date COMMENT 'First day of the UTC month',
    days UInt64 COMMENT 'Number of its days with a count',
    whole Bool COMMENT 'Whether all its days have a count',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment of the source''s latest count of any of these days, UTC',
    open_tokens UInt128 COMMENT 'Tokens of models with downloadable weights',
    closed_tokens UInt128 COMMENT 'Tokens of models without downloadable weights',
    unknown_tokens UInt128 COMMENT 'Tokens of names nobody has classified',
    other_tokens UInt128 COMMENT 'Tokens that the source does not attribute to a name',
    open_share Nullable(Float64) COMMENT 'open / (open + closed); null without classified tokens',
    unknown_ratio Nullable(Float64) COMMENT 'unknown / (open + closed)',
    error_bound Nullable(Float64)
        COMMENT 'Largest possible error of open_share, whatever the unknown are; check it if unknown_ratio > 0.01'
)
AS SELECT
    source, month, days, days = toDayOfMonth(toLastDayOfMonth(month)) AS whole, as_of,
    open_tokens, closed_tokens, unknown_tokens, other_tokens,
    toFloat64(open_tokens) / nullIf(toFloat64(open_tokens + closed_tokens), 0) AS open_share,
    toFloat64(unknown_tokens) / nullIf(toFloat64(open_tokens + closed_tokens), 0) AS unknown_ratio,
    unknown_ratio * greatest(open_share, 1 - open_share) / (1 + unknown_ratio) AS error_bound
FROM
(
    SELECT
        source, toStartOfMonth(day) AS month, count() AS days, max(s.as_of) AS as_of,
        sum(s.open_tokens) AS open_tokens, sum(s.closed_tokens) AS closed_tokens,
        sum(s.unknown_tokens) AS unknown_tokens, sum(s.other_tokens) AS other_tokens
    FROM inference_share AS s
    GROUP BY source, month
)
COMMENT 'Share of open models in all classified tokens: one row per source and month';

CREATE OR REPLACE VIEW inference_models_monthly
(
    source LowCardinality(String) COMMENT 'Source of the count: openrouter',
    month Date COMMENT 'First day of the UTC month',
    rank UInt64 COMMENT 'Rank by tokens among the open models of the month',
    model String COMMENT 'Its weights on the Hub, or the name where the weights have no id',
    org Nullable(String) COMMENT 'Organisation of the Hub',
    region LowCardinality(Nullable(String)) COMMENT 'us, china, eu, other, unknown; null = not reviewed',
    tokens UInt128 COMMENT 'Tokens of the month, all names and variants of the model together',
    share_of_open Float64 COMMENT 'Share of the tokens of all open models',
    share_of_classified Float64 COMMENT 'Share of the tokens of all classified models, open and closed',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment of the source''s latest count of any of these days, UTC'
)
AS SELECT
    m.source AS source, m.month AS month,
    row_number() OVER (PARTITION BY m.source, m.month ORDER BY m.tokens DESC, m.model) AS rank,
    m.model AS model, m.org AS org, m.region AS region, m.tokens AS tokens,
    toFloat64(m.tokens) / toFloat64(s.open_tokens) AS share_of_open,
    toFloat64(m.tokens) / toFloat64(s.open_tokens + s.closed_tokens) AS share_of_classified,
    m.as_of AS as_of
FROM
(
    SELECT
        source, toStartOfMonth(day) AS month, ifNull(t.model_id, base_slug) AS model, any(t.org) AS org,
        any(t.region) AS region, sum(toUInt128(t.tokens)) AS tokens, max(t.as_of) AS as_of
    FROM inference_tokens AS t
    WHERE ifNull(open, false)
    GROUP BY source, month, model
    HAVING tokens > 0
) AS m
INNER JOIN inference_share_monthly AS s ON s.source = m.source AND s.month = m.month
COMMENT 'Open models by tokens: one row per source, month and model';

-- title: Share of inference tokens among each month's top 10 open models, by region
-- description: Tokens of the month's ten most used open models, by region of their organisation, as a share of the tokens of all ten.
-- sources: openrouter, tracked-models
-- column month: first day of the UTC month
-- column region: us, china, eu, other, unknown, or unreviewed
-- column models: number of the ten models
-- column tokens: prompt and completion tokens
-- column share: share of the tokens of the ten
-- column whole: whether all days of the month have data
SELECT
    m.month AS month, m.region AS region, m.models AS models, m.tokens AS tokens,
    toFloat64(m.tokens) / toFloat64(sum(m.tokens) OVER (PARTITION BY m.month)) AS share, toBool(s.whole) AS whole
FROM
(
    SELECT month, ifNull(toString(i.region), 'unreviewed') AS region, count() AS models, sum(i.tokens) AS tokens
    FROM inference_models_monthly AS i
    WHERE rank <= 10 AND source = 'openrouter'
    GROUP BY month, region
) AS m
INNER JOIN inference_share_monthly AS s ON s.month = m.month AND s.source = 'openrouter'
ORDER BY month, region

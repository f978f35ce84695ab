-- title: Share of open models' inference tokens by organisation and month
-- description: Tokens of an organisation's open models, as a share of the tokens of all open models.
-- sources: openrouter
-- parameter top UInt32 = 10: organisations shown per month
-- column month: first day of the UTC month
-- column org: organisation, or unreviewed
-- column tokens: prompt and completion tokens
-- column share_of_open: share of the tokens of all open models
-- column share_of_classified: share of the tokens of all classified models, open and closed
-- column whole: whether all days of the month have data
SELECT
    m.month AS month, m.org AS org, m.tokens AS tokens,
    toFloat64(m.tokens) / toFloat64(s.open_tokens) AS share_of_open,
    toFloat64(m.tokens) / toFloat64(s.open_tokens + s.closed_tokens) AS share_of_classified,
    toBool(s.whole) AS whole
FROM
(
    SELECT month, ifNull(i.org, 'unreviewed') AS org, sum(i.tokens) AS tokens
    FROM inference_models_monthly AS i
    WHERE source = 'openrouter'
    GROUP BY month, org
) AS m
INNER JOIN inference_share_monthly AS s ON s.month = m.month AND s.source = 'openrouter'
ORDER BY month, tokens DESC, org
LIMIT {top:UInt32} BY month

-- title: Share of open models' inference tokens by organisation and month
-- meaning: Tokens of all open models of an organisation, of the tokens of all open models.
-- sources: openrouter
-- parameter top UInt32 = 10: organisations shown a month
-- column month: first day of the UTC month
-- column org: organisation, or unknown
-- column tokens: prompt and completion tokens
-- column share_of_open: of the tokens of all open models
-- column share_of_classified: of the tokens of all classified models, open and closed
SELECT month, ifNull(i.org, 'unknown') AS org, sum(i.tokens) AS tokens, sum(i.share_of_open) AS share_of_open, sum(i.share_of_classified) AS share_of_classified
FROM inference_models_monthly AS i
WHERE source = 'openrouter'
GROUP BY month, org
ORDER BY month, tokens DESC, org
LIMIT {top:UInt32} BY month

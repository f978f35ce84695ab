-- title: Share of open models in all classified inference tokens, by month
-- description: Tokens of unclassified and unnamed models are excluded; the error bound is the largest error of the share that this can cause.
-- sources: openrouter
-- column month: first day of the UTC month
-- column open_share: open / (open + closed) tokens
-- column error_bound: maximum error of open_share; relevant if unknown_ratio is above 0.01
-- column unknown_ratio: unknown / (open + closed) tokens
-- column open_tokens: tokens of open models
-- column closed_tokens: tokens of closed models
-- column whole: whether all days of the month have data
SELECT month, open_share, error_bound, unknown_ratio, open_tokens, closed_tokens, toBool(whole) AS whole
FROM inference_share_monthly
WHERE source = 'openrouter'
ORDER BY month

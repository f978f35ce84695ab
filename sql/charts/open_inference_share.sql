-- title: Share of open models in all classified inference tokens, by month
-- meaning: Unknown names and the unnamed rest are on neither side; the error bound says how far the share can be off for want of classification.
-- sources: openrouter
-- column month: first day of the UTC month
-- column open_share: open / (open + closed) tokens
-- column error_bound: how far it can be off; read it when unknown_ratio passes 0.01
-- column unknown_ratio: unknown / (open + closed) tokens
-- column open_tokens: tokens of open models
-- column closed_tokens: tokens of closed models
-- column whole: whether all days of the month were counted
SELECT month, open_share, error_bound, unknown_ratio, open_tokens, closed_tokens, toBool(whole) AS whole
FROM inference_share_monthly
WHERE source = 'openrouter'
ORDER BY month

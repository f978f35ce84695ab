-- Tokens of open models by day or month, of each model, organisation or region, as of a timestamp.
SELECT
    source, period, group, org, region, accurateCast(tokens, 'UInt64') AS tokens,
    toFloat64(tokens) / nullIf(toFloat64(sum(tokens) OVER (PARTITION BY source, period)), 0) AS share_of_open,
    row_number() OVER (PARTITION BY source, period ORDER BY tokens DESC, group) AS rank,
    max(counted) OVER (PARTITION BY source, period) AS as_of
FROM
(
    SELECT
        toString(source) AS source, if({interval:String} = 'month', toStartOfMonth(day), day) AS period,
        multiIf(
            {by:String} = 'org', ifNull(t.org, 'unreviewed'),
            {by:String} = 'region', ifNull(toString(t.region), 'unreviewed'),
            ifNull(t.model_id, base_slug)
        ) AS group,
        if({by:String} = 'region', NULL, any(t.org)) AS org, any(toString(t.region)) AS region,
        sum(toUInt128(t.tokens)) AS tokens, max(t.as_of) AS counted
    FROM inference_tokens_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS t
    WHERE ifNull(t.open, false)
        AND ({since:Nullable(Date)} IS NULL OR day >= {since:Nullable(Date)})
        AND ({until:Nullable(Date)} IS NULL OR day <= {until:Nullable(Date)})
    GROUP BY source, period, group
    HAVING tokens > 0
)
QUALIFY {top:UInt32} = 0 OR rank <= {top:UInt32}

-- Tokens of open models by day or month, of each model, organisation or region, as of a timestamp. Closed models are read
-- too, since a day has data if any model has.
SELECT
    source, period, group, org, region, accurateCast(tokens, 'UInt64') AS tokens,
    toFloat64(tokens) / nullIf(toFloat64(sum(tokens) OVER same), 0) AS share_of_open,
    row_number() OVER (PARTITION BY source, period, is_open ORDER BY tokens DESC, group) AS rank,
    toBool(
        {interval:String} = 'day'
        OR length(groupUniqArrayArray(days) OVER (PARTITION BY source, period)) = toDayOfMonth(toLastDayOfMonth(period))
    ) AS whole,
    max(counted) OVER same AS as_of
FROM
(
    SELECT
        toString(source) AS source, if({interval:String} = 'month', toStartOfMonth(day), day) AS period,
        ifNull(t.open, false) AS is_open,
        multiIf(
            {by:String} = 'org', ifNull(t.org, 'unreviewed'),
            {by:String} = 'region', ifNull(toString(t.region), 'unreviewed'),
            ifNull(t.model_id, base_slug)
        ) AS group,
        if({by:String} = 'region', NULL, any(t.org)) AS org, any(toString(t.region)) AS region,
        sum(toUInt128(t.tokens)) AS tokens, max(t.as_of) AS counted, groupUniqArray(day) AS days
    FROM inference_tokens_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS t
    WHERE ({since:Nullable(Date)} IS NULL OR day >= {since:Nullable(Date)})
        AND ({until:Nullable(Date)} IS NULL OR day <= {until:Nullable(Date)})
    GROUP BY source, period, is_open, group
)
WINDOW same AS (PARTITION BY source, period, is_open)
QUALIFY is_open AND tokens > 0 AND ({top:UInt32} = 0 OR rank <= {top:UInt32})
    AND (empty({model:Array(String)}) OR group IN {model:Array(String)})

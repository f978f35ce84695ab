-- Share of open models in all classified tokens, by day or month, as of a timestamp. Sums are integers, so they are exact.
SELECT
    source, period, days, toBool({interval:String} = 'day' OR days = toDayOfMonth(toLastDayOfMonth(period))) AS whole, as_of,
    accurateCast(open, 'UInt64') AS open_tokens, accurateCast(closed, 'UInt64') AS closed_tokens,
    accurateCast(unknown, 'UInt64') AS unknown_tokens, accurateCast(other, 'UInt64') AS other_tokens,
    toFloat64(open) / nullIf(toFloat64(open + closed), 0) AS open_share,
    toFloat64(unknown) / nullIf(toFloat64(open + closed), 0) AS unknown_ratio,
    unknown_ratio * greatest(open_share, 1 - open_share) / (1 + unknown_ratio) AS error_bound,
    toFloat64(open) / nullIf(toFloat64(open + closed + unknown + other), 0) AS lowest,
    toFloat64(open + unknown + other) / nullIf(toFloat64(open + closed + unknown + other), 0) AS highest
FROM
(
    SELECT
        toString(source) AS source, if({interval:String} = 'month', toStartOfMonth(day), day) AS period, uniqExact(day) AS days,
        max(t.as_of) AS as_of,
        sumIf(toUInt128(tokens), ifNull(t.open, false)) AS open,
        sumIf(toUInt128(tokens), NOT ifNull(t.open, true)) AS closed,
        sumIf(toUInt128(tokens), t.open IS NULL AND base_slug != 'other') AS unknown,
        sumIf(toUInt128(tokens), base_slug = 'other') AS other
    FROM inference_tokens_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS t
    WHERE ({since:Nullable(Date)} IS NULL OR day >= {since:Nullable(Date)})
        AND ({until:Nullable(Date)} IS NULL OR day <= {until:Nullable(Date)})
    GROUP BY source, period
)

-- title: Share of new derivatives by region of the base model, by month of creation
-- description: Derivatives are finetunes, adapters, merges and quantized copies of tracked models with more than 5 downloads. A derivative of several organisations counts for each. The latest months still grow, because a derivative counts once it has more than 5 downloads.
-- sources: huggingface, tracked-models
-- column month: first day of the UTC month of creation
-- column region: us, china, eu, other, unknown, or unreviewed
-- column new: derivatives created in the month
-- column share_of_new: share of all derivatives created in the month; null if there are none
-- column cumulative: derivatives created until the end of the month
-- column share_of_cumulative: share of all derivatives created until the end of the month
-- column whole: whether derivatives were observed after the end of the month
WITH (SELECT toDate(max(observed_at)) FROM derivatives_log WHERE source = 'huggingface') AS last_day
SELECT
    month, region, new, new / nullIf(sum(new) OVER (PARTITION BY month), 0) AS share_of_new,
    cumulative, cumulative / sum(cumulative) OVER (PARTITION BY month) AS share_of_cumulative,
    toBool(addMonths(month, 1) <= last_day) AS whole
FROM
(
    SELECT month, ifNull(toString(region), 'unreviewed') AS region, sum(d.new) AS new, sum(d.cumulative) AS cumulative
    FROM derivatives_monthly AS d
    WHERE source = 'huggingface'
    GROUP BY month, region
)
ORDER BY month, region

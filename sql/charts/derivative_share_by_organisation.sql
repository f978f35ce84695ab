-- title: Share of new derivatives by organisation of the base model, by month of creation
-- description: Derivatives are finetunes, adapters, merges and quantized copies of tracked models with more than 5 downloads. A derivative of several organisations counts for each. The latest months still grow, because a derivative counts once it has more than 5 downloads.
-- sources: huggingface, tracked-models
-- parameter top UInt32 = 8: organisations shown, by number of derivatives
-- column month: first day of the UTC month of creation
-- column org: organisation of the base model
-- column new: derivatives created in the month
-- column share_of_new: share of all derivatives created in the month; null if there are none
-- column cumulative: derivatives created until the end of the month
-- column share_of_cumulative: share of all derivatives created until the end of the month
-- column whole: whether derivatives were observed after the end of the month
WITH (SELECT toDate(max(observed_at)) FROM derivatives_log WHERE source = 'huggingface') AS last_day
SELECT
    month, org, new, new / nullIf(sum(new) OVER (PARTITION BY month), 0) AS share_of_new,
    cumulative, cumulative / sum(cumulative) OVER (PARTITION BY month) AS share_of_cumulative,
    toBool(addMonths(month, 1) <= last_day) AS whole
FROM
(
    SELECT month, org, new, cumulative, sum(new) OVER (PARTITION BY org) AS total
    FROM
    (
        SELECT month, base_org AS org, sum(d.new) AS new, sum(d.cumulative) AS cumulative
        FROM derivatives_monthly AS d
        WHERE source = 'huggingface'
        GROUP BY month, org
    )
)
QUALIFY dense_rank() OVER (ORDER BY total DESC, org) <= {top:UInt32}
ORDER BY month, org

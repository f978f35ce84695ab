-- title: Share of derivatives by organisation of what they derive from, by month of creation
-- meaning: Models with more than 5 downloads that finetune, adapt, merge or quantize a tracked model. One that derives from several organisations counts for each. The latest months still grow: a derivative counts once it passes 5 downloads.
-- sources: huggingface, tracked-models
-- parameter top UInt32 = 8: organisations shown, by all their derivatives
-- column month: first day of the UTC month of creation
-- column org: organisation they derive from
-- column new: derivatives created in the month
-- column share_of_new: of all created in the month; null without any
-- column cumulative: derivatives created until its end
-- column share_of_cumulative: of all created until its end
-- column whole: whether derivatives were observed after the month's end
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

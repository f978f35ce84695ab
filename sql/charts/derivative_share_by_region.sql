-- title: Share of derivatives by region of what they derive from, by month of creation
-- meaning: Models with more than 5 downloads that finetune, adapt, merge or quantize a tracked model. One that derives from several organisations counts for each. The latest months still grow: a derivative counts once it passes 5 downloads.
-- sources: huggingface, tracked-models
-- column month: first day of the UTC month of creation
-- column region: us, china, eu, other, unknown, or unreviewed
-- column new: derivatives created in the month
-- column share_of_new: of all created in the month; null without any
-- column cumulative: derivatives created until its end
-- column share_of_cumulative: of all created until its end
-- column whole: whether derivatives were observed after the month's end
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

-- title: New downloads of tracked models by organisation and month
-- description: New downloads of the organisations with the most downloads over all months.
-- sources: huggingface, tracked-models
-- parameter top UInt32 = 10: organisations shown
-- column month: first day of the UTC month
-- column org: organisation
-- column downloads: new downloads of the month
-- column whole: whether the month is complete and finished: models with 95% of the latest downloads have been observed beyond it
WITH
(SELECT day FROM finished_days WHERE source = 'huggingface') AS finished,
(SELECT toDate(min(observed_at)) FROM scrapes_log WHERE source = 'huggingface') AS first_day
SELECT month, org, downloads, toBool(ifNull(month > first_day AND toLastDayOfMonth(month) <= finished, false)) AS whole
FROM
(
    SELECT
        d.month AS month, toString(m.org) AS org, sum(d.new) AS downloads,
        sum(downloads) OVER (PARTITION BY org) AS total
    FROM
    (
        SELECT model_id, toStartOfMonth(day) AS month, sum(n.downloads) AS new
        FROM downloads_daily AS n
        WHERE n.downloads IS NOT NULL AND model_id IN (SELECT model_id FROM models WHERE tracked)
        GROUP BY model_id, month
    ) AS d
    INNER JOIN models AS m ON m.model_id = d.model_id
    GROUP BY month, org
)
QUALIFY dense_rank() OVER (ORDER BY total DESC, org) <= {top:UInt32}
ORDER BY month, downloads DESC, org

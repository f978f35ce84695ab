-- title: New downloads of tracked models by organisation and month
-- description: New downloads of the organisations with the most downloads over all months.
-- sources: huggingface, tracked-models
-- parameter top UInt32 = 10: organisations shown
-- column month: first day of the UTC month
-- column org: organisation
-- column downloads: new downloads of the month
-- column whole: whether observations cover the complete month
SELECT month, org, downloads, toBool(month >= first_day AND addMonths(month, 1) <= last_day) AS whole
FROM
(
    SELECT
        month, org, downloads, sum(downloads) OVER (PARTITION BY org) AS total,
        min(first) OVER () AS first_day, max(last) OVER () AS last_day
    FROM
    (
        SELECT
            toStartOfMonth(d.day) AS month, toString(m.org) AS org, sum(d.downloads) AS downloads,
            min(d.day) AS first, max(d.day) AS last
        FROM downloads_daily AS d
        INNER JOIN models AS m ON m.model_id = d.model_id
        WHERE m.tracked AND d.downloads IS NOT NULL
        GROUP BY month, org
    )
)
QUALIFY dense_rank() OVER (ORDER BY total DESC, org) <= {top:UInt32}
ORDER BY month, downloads DESC, org

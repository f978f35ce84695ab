-- title: Cumulative downloads of tracked models by organisation
-- meaning: As by region, of the organisations with the most downloads.
-- sources: huggingface, tracked-models
-- parameter top UInt32 = 10: organisations shown
-- column day: UTC day
-- column org: organisation
-- column downloads: downloads until the end of the day
SELECT day, org, downloads
FROM
(
    SELECT
        day, org,
        sum(added) OVER (PARTITION BY org ORDER BY day) AS downloads,
        sum(added) OVER (PARTITION BY org) AS total
    FROM
    (
        SELECT d.day AS day, toString(m.org) AS org, sum(ifNull(d.downloads, d.cumulative)) AS added
        FROM downloads_daily AS d
        INNER JOIN models AS m ON m.model_id = d.model_id
        WHERE m.tracked
        GROUP BY day, org
    )
)
QUALIFY dense_rank() OVER (ORDER BY total DESC, org) <= {top:UInt32}
ORDER BY day, org

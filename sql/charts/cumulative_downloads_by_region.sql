-- title: Cumulative downloads of tracked models by region
-- meaning: Clean downloads since each model's first observation and what it had by then. A model that is observed no more keeps its last count.
-- sources: huggingface, tracked-models
-- column day: UTC day
-- column region: us, china, eu, other, unknown, or unreviewed
-- column downloads: downloads until the end of the day
SELECT
    day, region,
    sum(added) OVER (PARTITION BY region ORDER BY day) AS downloads
FROM
(
    SELECT d.day AS day, ifNull(toString(m.region), 'unreviewed') AS region, sum(ifNull(d.downloads, d.cumulative)) AS added
    FROM downloads_daily AS d
    INNER JOIN models AS m ON m.model_id = d.model_id
    WHERE m.tracked
    GROUP BY day, region
)
ORDER BY day, region

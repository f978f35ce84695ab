-- title: Cumulative downloads of tracked models by region
-- description: The sum of each model's first count and its downloads since then, less corrections. A model that is no longer observed keeps its last count.
-- sources: huggingface, tracked-models
-- column day: UTC day
-- column region: us, china, eu, other, unknown, or unreviewed
-- column downloads: downloads until the end of the UTC day
-- column whole: whether the day is finished: models with 95% of the latest downloads have been observed beyond it
WITH (SELECT day FROM finished_days WHERE source = 'huggingface') AS finished
SELECT
    addDays(seen, ahead) AS day, region, toUInt64(downloads) AS downloads,
    toBool(ifNull(day <= finished, false)) AS whole
FROM
(
    SELECT
        seen, region,
        sum(added) OVER (PARTITION BY region ORDER BY seen) AS downloads,
        leadInFrame(toNullable(seen)) OVER
        (
            PARTITION BY region ORDER BY seen ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING
        ) AS seen_next,
        max(seen) OVER () AS last_day
    FROM
    (
        SELECT
            d.day AS seen, ifNull(toString(m.region), 'unreviewed') AS region,
            sum(if(d.downloads IS NULL, toInt64(d.cumulative), toInt64(d.downloads) - toInt64(d.correction))) AS added
        FROM downloads_daily AS d
        INNER JOIN models AS m ON m.model_id = d.model_id
        WHERE d.model_id IN (SELECT model_id FROM models WHERE tracked)
        GROUP BY seen, region
    )
)
-- Carries the last count forward.
ARRAY JOIN range(toUInt32(ifNull(seen_next, last_day + 1) - seen)) AS ahead
ORDER BY day, region

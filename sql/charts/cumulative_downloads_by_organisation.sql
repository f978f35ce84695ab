-- title: Cumulative downloads of tracked models by organisation
-- description: The sum of each model's first count and its downloads since then, less corrections, for the organisations with the most downloads. A model that is no longer observed keeps its last count.
-- sources: huggingface, tracked-models
-- parameter top UInt32 = 10: organisations shown
-- column day: UTC day
-- column org: organisation
-- column downloads: downloads until the end of the UTC day
-- column whole: whether the day is finished: models with 95% of the latest downloads have been observed beyond it
WITH (SELECT day FROM finished_days WHERE source = 'huggingface') AS finished
SELECT
    addDays(seen, ahead) AS day, org, toUInt64(downloads) AS downloads,
    toBool(ifNull(day <= finished, false)) AS whole
FROM
(
    SELECT
        seen, org,
        sum(added) OVER (PARTITION BY org) AS total,
        sum(added) OVER (PARTITION BY org ORDER BY seen) AS downloads,
        leadInFrame(toNullable(seen)) OVER
        (
            PARTITION BY org ORDER BY seen ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING
        ) AS seen_next,
        max(seen) OVER () AS last_day
    FROM
    (
        SELECT
            d.day AS seen, toString(m.org) AS org,
            sum(if(d.downloads IS NULL, toInt64(d.cumulative), toInt64(d.downloads) - toInt64(d.correction))) AS added
        FROM downloads_daily AS d
        INNER JOIN models AS m ON m.model_id = d.model_id
        WHERE d.model_id IN (SELECT model_id FROM models WHERE tracked)
        GROUP BY seen, org
    )
)
-- Carries the last count forward.
ARRAY JOIN range(toUInt32(ifNull(seen_next, last_day + 1) - seen)) AS ahead
QUALIFY dense_rank() OVER (ORDER BY total DESC, org) <= {top:UInt32}
ORDER BY day, org

-- title: Cumulative downloads of tracked models by region
-- description: The sum of each model's first observed count and its clean downloads since then. A model that is no longer observed keeps its last count.
-- sources: huggingface, tracked-models
-- column day: UTC day
-- column region: us, china, eu, other, unknown, or unreviewed
-- column downloads: downloads until the end of the UTC day
SELECT addDays(seen, ahead) AS day, region, downloads
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
            sum(ifNull(d.downloads, d.cumulative)) AS added
        FROM downloads_daily AS d
        INNER JOIN models AS m ON m.model_id = d.model_id
        WHERE m.tracked
        GROUP BY seen, region
    )
)
-- Carries the last count forward.
ARRAY JOIN range(toUInt32(ifNull(seen_next, last_day + 1) - seen)) AS ahead
ORDER BY day, region

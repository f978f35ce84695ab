-- title: Cumulative downloads of tracked models by organisation
-- description: The sum of each model's first observed count and its clean downloads since then, for the organisations with the most downloads. A model that is no longer observed keeps its last count.
-- sources: huggingface, tracked-models
-- parameter top UInt32 = 10: organisations shown
-- column day: UTC day
-- column org: organisation
-- column downloads: downloads until the end of the UTC day
SELECT addDays(seen, ahead) AS day, org, downloads
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
        SELECT d.day AS seen, toString(m.org) AS org, sum(ifNull(d.downloads, d.cumulative)) AS added
        FROM downloads_daily AS d
        INNER JOIN models AS m ON m.model_id = d.model_id
        WHERE m.tracked
        GROUP BY seen, org
    )
)
-- Carries the last count forward.
ARRAY JOIN range(toUInt32(ifNull(seen_next, last_day + 1) - seen)) AS ahead
QUALIFY dense_rank() OVER (ORDER BY total DESC, org) <= {top:UInt32}
ORDER BY day, org

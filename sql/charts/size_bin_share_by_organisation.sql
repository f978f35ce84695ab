-- title: Share of a size bin's new downloads by organisation and month
-- meaning: Whose models of one size are downloaded: of the month's new downloads, and of all until its end.
-- sources: huggingface, tracked-models
-- parameter size_bin String = 250B+: size bin
-- column month: first day of the UTC month
-- column org: organisation
-- column downloads: new downloads of the month
-- column share: of the new downloads of all tracked models of the bin
-- column cumulative: downloads until the end of the month
-- column cumulative_share: of those of all tracked models of the bin
SELECT
    month, org, downloads, downloads / nullIf(sum(downloads) OVER (PARTITION BY month), 0) AS share,
    cumulative, cumulative / nullIf(sum(cumulative) OVER (PARTITION BY month), 0) AS cumulative_share
FROM
(
    SELECT
        month, org, sum(new) AS downloads,
        sum(sum(added)) OVER (PARTITION BY org ORDER BY month) AS cumulative
    FROM
    (
        SELECT g.org AS org, g.month AS month, s.new AS new, s.added AS added
        FROM
        (
            SELECT org, arrayJoin(arrayMap(i -> addMonths(first_month, i), range(toUInt32(dateDiff('month', first_month, last_month) + 1)))) AS month
            FROM
            (
                SELECT toString(m.org) AS org, toStartOfMonth(min(d.day)) AS first_month, max(max(toStartOfMonth(d.day))) OVER () AS last_month
                FROM downloads_daily AS d
                INNER JOIN models AS m ON m.model_id = d.model_id
                WHERE m.tracked AND m.size_bin = {size_bin:String}
                GROUP BY org
            )
        ) AS g
        LEFT JOIN
        (
            SELECT
                toString(m.org) AS org, toStartOfMonth(d.day) AS month,
                sum(ifNull(d.downloads, 0)) AS new, sum(ifNull(d.downloads, d.cumulative)) AS added
            FROM downloads_daily AS d
            INNER JOIN models AS m ON m.model_id = d.model_id
            WHERE m.tracked AND m.size_bin = {size_bin:String}
            GROUP BY org, month
        ) AS s ON s.org = g.org AND s.month = g.month
    )
    GROUP BY month, org
)
ORDER BY month, downloads DESC, org

-- title: Share of a size bin's new downloads by organisation and month
-- description: Shares of the month's new downloads, and of all downloads until its end, of models in one size bin. A model that is no longer observed keeps its last count.
-- sources: huggingface, tracked-models
-- parameter size_bin String = 250B+: size bin: <1B, 1-5B, 7-9B, 10-50B, 50-100B, 100-250B or 250B+
-- column month: first day of the UTC month
-- column org: organisation
-- column downloads: new downloads of the month; null = not observed
-- column share: share of the new downloads of all tracked models of the bin
-- column cumulative: downloads until the end of the month
-- column cumulative_share: share of the cumulative downloads of all tracked models of the bin
-- column whole: whether the month is complete and finished: models of the bin with 95% of the latest downloads have been observed beyond it
WITH
(
    -- As `finished_days`, of the bin.
    SELECT arrayMax(arrayFilter(
        (day, sum, own) -> 20 * (sum - own) <= arraySum(edge.2), edge.1, arrayCumSum(edge.2), edge.2
    ))
    FROM
    (
        SELECT sumMap([last_day], [week_downloads]) AS edge
        FROM live_edge
        WHERE source = 'huggingface'
            AND model_id IN (SELECT model_id FROM models WHERE tracked AND size_bin = {size_bin:String})
    )
) AS finished,
(SELECT toDate(min(observed_at)) FROM scrapes_log WHERE source = 'huggingface') AS first_day
SELECT
    month, org, downloads, downloads / nullIf(sum(downloads) OVER (PARTITION BY month), 0) AS share,
    cumulative, cumulative / nullIf(sum(cumulative) OVER (PARTITION BY month), 0) AS cumulative_share,
    toBool(ifNull(month > first_day AND toLastDayOfMonth(month) <= finished, false)) AS whole
FROM
(
    SELECT addMonths(seen, ahead) AS month, org, if(ahead = 0, new, NULL) AS downloads, toUInt64(total) AS cumulative
    FROM
    (
        SELECT
            seen, org, new,
            sum(added) OVER (PARTITION BY org ORDER BY seen) AS total,
            leadInFrame(toNullable(seen)) OVER
            (
                PARTITION BY org ORDER BY seen ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING
            ) AS seen_next,
            max(last) OVER () AS last_day
        FROM
        (
            SELECT
                toStartOfMonth(d.day) AS seen, toString(m.org) AS org,
                sum(d.downloads) AS new,
                sum(
                    if(d.downloads IS NULL, toInt64(d.cumulative), toInt64(d.downloads) - toInt64(d.correction))
                ) AS added,
                max(d.day) AS last
            FROM downloads_daily AS d
            INNER JOIN models AS m ON m.model_id = d.model_id
            WHERE d.model_id IN (SELECT model_id FROM models WHERE tracked AND size_bin = {size_bin:String})
            GROUP BY seen, org
        )
    )
    -- Carries the last count forward.
    ARRAY JOIN range(toUInt32(dateDiff('month', seen, ifNull(seen_next, addMonths(last_day, 1))))) AS ahead
)
ORDER BY month, downloads DESC NULLS LAST, org

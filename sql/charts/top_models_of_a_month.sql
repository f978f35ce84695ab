-- title: Most downloaded tracked models of a month
-- description: New downloads of one month, in one size bin or in all.
-- sources: huggingface, tracked-models
-- parameter month Date = 1970-01-01: first day of the month; 1970-01-01: the latest complete month, or the latest one if none is complete
-- parameter size_bin String = : size bin: <1B, 1-5B, 7-9B, 10-50B, 50-100B, 100-250B or 250B+; empty: all
-- parameter top UInt32 = 20: models shown
-- column rank: rank by downloads
-- column model_id: model id
-- column org: organisation
-- column region: its region, or unreviewed
-- column size_bin: size bin, or unknown
-- column downloads: new downloads of the month
-- column month: first day of the UTC month
-- column whole: whether the month is complete and finished: models with 95% of the latest downloads have been observed beyond it
WITH
(SELECT day FROM finished_days WHERE source = 'huggingface') AS finished,
(SELECT toDate(min(observed_at)) FROM scrapes_log WHERE source = 'huggingface') AS first_day
SELECT
    row_number() OVER (ORDER BY d.downloads DESC, m.model_id) AS rank,
    m.model_id AS model_id, toString(m.org) AS org, ifNull(toString(m.region), 'unreviewed') AS region,
    ifNull(toString(m.size_bin), 'unknown') AS size_bin, d.downloads AS downloads, d.month AS month,
    toBool(d.whole) AS whole
FROM
(
    SELECT
        model_id, month, downloads, ifNull(month > first_day AND toLastDayOfMonth(month) <= finished, false) AS whole,
        if(max(whole) OVER (), maxIf(month, whole) OVER (), max(month) OVER ()) AS latest
    FROM
    (
        SELECT model_id, toStartOfMonth(day) AS month, sum(n.downloads) AS downloads
        FROM downloads_daily AS n
        WHERE n.downloads IS NOT NULL AND model_id IN (SELECT model_id FROM models WHERE tracked)
        GROUP BY model_id, month
    )
    QUALIFY month = if({month:Date} = toDate('1970-01-01'), latest, toStartOfMonth({month:Date}))
) AS d
INNER JOIN models AS m ON m.model_id = d.model_id
WHERE {size_bin:String} = '' OR m.size_bin = {size_bin:String}
ORDER BY rank
LIMIT {top:UInt32}

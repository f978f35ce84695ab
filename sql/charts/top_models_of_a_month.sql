-- title: Most downloaded tracked models of a month
-- meaning: New downloads of one month, of one size bin or of all.
-- sources: huggingface, tracked-models
-- parameter month Date = 1970-01-01: first day of the month; 1970-01-01 takes the latest whole one
-- parameter size_bin String = : size bin, such as 1-5B; empty takes all
-- parameter top UInt32 = 20: models shown
-- column rank: rank by downloads
-- column model_id: model
-- column org: organisation
-- column region: its region, or unreviewed
-- column size_bin: size bin, or unknown
-- column downloads: new downloads of the month
-- column month: first day of the UTC month
WITH
    (SELECT max(day) FROM downloads_daily) AS last_day,
    if({month:Date} = toDate('1970-01-01'), toStartOfMonth(addDays(last_day, 1)) - INTERVAL 1 MONTH, toStartOfMonth({month:Date})) AS wanted
SELECT
    row_number() OVER (ORDER BY downloads DESC, model_id) AS rank,
    m.model_id AS model_id, toString(m.org) AS org, ifNull(toString(m.region), 'unreviewed') AS region,
    ifNull(toString(m.size_bin), 'unknown') AS size_bin, d.downloads AS downloads, wanted AS month
FROM
(
    SELECT model_id, sum(downloads_daily.downloads) AS downloads
    FROM downloads_daily
    WHERE day >= wanted AND day < wanted + INTERVAL 1 MONTH AND downloads_daily.downloads IS NOT NULL
    GROUP BY model_id
) AS d
INNER JOIN models AS m ON m.model_id = d.model_id
WHERE m.tracked AND ({size_bin:String} = '' OR m.size_bin = {size_bin:String})
ORDER BY rank
LIMIT {top:UInt32}

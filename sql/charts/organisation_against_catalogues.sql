-- title: One organisation's top models of a month against others' whole catalogues
-- meaning: New downloads of its few most downloaded models, beside those of all tracked models of each other organisation.
-- sources: huggingface, tracked-models
-- parameter org String = : organisation; empty takes the most downloaded of the month
-- parameter top UInt32 = 5: how many of its models
-- parameter month Date = 1970-01-01: first day of the month; 1970-01-01 takes the latest whole one
-- parameter others UInt32 = 8: other organisations shown
-- column who: organisation
-- column catalogue: top models, or whole catalogue
-- column models: models counted
-- column downloads: new downloads of the month
-- column month: first day of the UTC month
WITH
    (SELECT max(day) FROM downloads_daily) AS last_day,
    if({month:Date} = toDate('1970-01-01'), toStartOfMonth(addDays(last_day, 1)) - INTERVAL 1 MONTH, toStartOfMonth({month:Date})) AS wanted,
    monthly AS
    (
        SELECT
            m.org AS org, d.model_id AS model_id, d.downloads AS downloads,
            sum(d.downloads) OVER (PARTITION BY m.org) AS total,
            row_number() OVER (PARTITION BY m.org ORDER BY d.downloads DESC, d.model_id) AS place
        FROM
        (
            SELECT model_id, sum(downloads_daily.downloads) AS downloads
            FROM downloads_daily
            WHERE day >= wanted AND day < wanted + INTERVAL 1 MONTH AND downloads_daily.downloads IS NOT NULL
            GROUP BY model_id
        ) AS d
        INNER JOIN (SELECT model_id, toString(models.org) AS org FROM models WHERE tracked) AS m ON m.model_id = d.model_id
    ),
    (SELECT argMax(org, (total, org)) FROM monthly) AS most_downloaded,
    if({org:String} = '', most_downloaded, {org:String}) AS chosen
SELECT
    org AS who, if(org = chosen, 'top models', 'whole catalogue') AS catalogue,
    count() AS models, sum(monthly.downloads) AS downloads, wanted AS month
FROM monthly
WHERE org != chosen OR place <= {top:UInt32}
GROUP BY org
ORDER BY org = chosen DESC, downloads DESC, who
LIMIT 1 + {others:UInt32}

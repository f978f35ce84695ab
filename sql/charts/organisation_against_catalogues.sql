-- title: One organisation's top models against others' whole catalogues
-- description: New downloads of an organisation's most downloaded models in one or several months, compared with those of all tracked models of each other organisation, and with their running total.
-- sources: huggingface, tracked-models
-- parameter org String = : organisation; empty: the most downloaded one of these months
-- parameter top UInt32 = 5: number of its models
-- parameter month Date = 1970-01-01: first day of the first month; 1970-01-01: the latest complete months, or the latest ones if none are complete
-- parameter months UInt32 = 1: number of months
-- parameter against Array(String) = : other organisations, separated by commas; empty: the most downloaded ones
-- parameter others UInt32 = 8: number of other organisations
-- column who: organisation
-- column catalogue: `top models` or `whole catalogue`
-- column models: number of models
-- column downloads: new downloads of these months
-- column together: running total over the catalogues, the largest first; null for the top models
-- column month: first day of the first UTC month
-- column months: number of months
-- column whole: whether these months are complete and finished: models with 95% of the latest downloads have been observed beyond them
WITH
(SELECT day FROM finished_days WHERE source = 'huggingface') AS finished,
(SELECT toDate(min(observed_at)) FROM scrapes_log WHERE source = 'huggingface') AS first_day
SELECT
    who, if(own, 'top models', 'whole catalogue') AS catalogue, models, downloads,
    if(own, NULL, sum(if(own, 0, downloads)) OVER (ORDER BY own DESC, downloads DESC, who)) AS together,
    wanted AS month, {months:UInt32} AS months, toBool(whole) AS whole
FROM
(
    SELECT org AS who, org = chosen AS own, count() AS models, sum(ranked.downloads) AS downloads, wanted, whole
    FROM
    (
        SELECT
            org, downloads, wanted, whole,
            if({org:String} = '', first_value(org) OVER (ORDER BY total DESC, org), {org:String}) AS chosen,
            row_number() OVER (PARTITION BY org ORDER BY downloads DESC, model_id) AS place
        FROM
        (
            SELECT
                org, model_id, sum(monthly.downloads) AS downloads, wanted, whole,
                sum(downloads) OVER (PARTITION BY org) AS total
            FROM
            (
                SELECT
                    org, model_id, month, downloads,
                    if(
                        {month:Date} != toDate('1970-01-01'), toStartOfMonth({month:Date}),
                        addMonths(
                            if(max(over_by_then) OVER (), maxIf(month, over_by_then) OVER (), max(month) OVER ()),
                            1 - toInt32({months:UInt32})
                        )
                    ) AS wanted,
                    ifNull(wanted > first_day AND addMonths(wanted, {months:UInt32}) <= finished + 1, false) AS whole
                FROM
                (
                    SELECT
                        toString(m.org) AS org, d.model_id AS model_id, d.month AS month, d.new AS downloads,
                        ifNull(month > first_day AND toLastDayOfMonth(month) <= finished, false) AS over_by_then
                    FROM
                    (
                        SELECT model_id, toStartOfMonth(day) AS month, sum(n.downloads) AS new
                        FROM downloads_daily AS n
                        WHERE n.downloads IS NOT NULL AND model_id IN (SELECT model_id FROM models WHERE tracked)
                        GROUP BY model_id, month
                    ) AS d
                    INNER JOIN models AS m ON m.model_id = d.model_id
                )
                QUALIFY month >= wanted AND month < addMonths(wanted, {months:UInt32})
            ) AS monthly
            GROUP BY org, model_id, wanted, whole
        )
    ) AS ranked
    WHERE org != chosen AND (empty({against:Array(String)}) OR has({against:Array(String)}, org))
        OR org = chosen AND place <= {top:UInt32}
    GROUP BY org, chosen, wanted, whole
)
-- Empty if the organisation has no downloads.
QUALIFY max(own) OVER ()
ORDER BY own DESC, downloads DESC, who
LIMIT 1 + greatest({others:UInt32}, length({against:Array(String)}))

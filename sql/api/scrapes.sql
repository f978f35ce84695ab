-- Scrapes until a timestamp, with missing models, and whether nearly all counters were unchanged.
SELECT
    toString(s.source) AS source, s.observed_at AS observed_at, models, compared, standing, toBool(complete) AS complete,
    ifNull(m.missing, 0) AS missing, toBool(stalled) AS stalled
FROM scrapes AS s
LEFT JOIN
(
    SELECT source, observed_at, uniqExact(model_id) AS missing
    FROM scrape_missing
    GROUP BY source, observed_at
) AS m ON m.source = s.source AND m.observed_at = s.observed_at
WHERE s.observed_at <= {as_of:DateTime64(3, 'UTC')}
    AND (empty({source:Array(String)}) OR s.source IN {source:Array(String)})
    AND ({since:Nullable(Date)} IS NULL OR toDate(s.observed_at) >= {since:Nullable(Date)})
    AND ({until:Nullable(Date)} IS NULL OR toDate(s.observed_at) <= {until:Nullable(Date)})

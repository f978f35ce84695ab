-- Scrapes until a moment, and whether nearly all counters stood still.
SELECT toString(source) AS source, observed_at, models, compared, standing, toBool(complete) AS complete, toBool(stalled) AS stalled
FROM scrapes AS s
WHERE observed_at <= {as_of:DateTime64(3, 'UTC')}
    AND (empty({source:Array(String)}) OR source IN {source:Array(String)})
    AND ({since:Nullable(Date)} IS NULL OR toDate(observed_at) >= {since:Nullable(Date)})
    AND ({until:Nullable(Date)} IS NULL OR toDate(observed_at) <= {until:Nullable(Date)})

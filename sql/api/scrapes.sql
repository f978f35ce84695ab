-- Scrapes until a timestamp, with the number of missing models.
SELECT toString(s.source) AS source, observed_at, models, missing, complete
FROM scrapes AS s
WHERE observed_at <= {as_of:DateTime64(3, 'UTC')}
    AND (empty({source:Array(String)}) OR s.source IN {source:Array(String)})
    AND ({since:Nullable(Date)} IS NULL OR toDate(observed_at) >= {since:Nullable(Date)})
    AND ({until:Nullable(Date)} IS NULL OR toDate(observed_at) <= {until:Nullable(Date)})

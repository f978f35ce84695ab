-- Models without RAM, and why: as of the latest observations.
SELECT
    model_id, toString(r.org) AS org, toString(r.region) AS region, toString(r.size_bin) AS size_bin, released_at, tracked,
    observed_at, age_days, peers, reason, detail, curve_reason, curve_detail
FROM ram_missing_of(baseline = {baseline:String}, models = {model:Array(String)}) AS r
WHERE (empty({org:Array(String)}) OR r.org IN {org:Array(String)})
    AND (empty({region:Array(String)}) OR ifNull(toString(r.region), 'unreviewed') IN {region:Array(String)})
    AND (empty({size_bin:Array(String)}) OR ifNull(toString(r.size_bin), 'unknown') IN {size_bin:Array(String)})
    AND ({tracked:Nullable(Bool)} IS NULL OR tracked = {tracked:Nullable(Bool)})

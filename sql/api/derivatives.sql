-- Derivatives by month of creation, organisation of the base model, and relation, as of the latest survey.
SELECT
    toString(source) AS source, month, base_org AS org, toString(d.region) AS region, toString(relation) AS relation, new, cumulative,
    toBool(toLastDayOfMonth(month) < (SELECT toDate(max(observed_at)) FROM derivatives_log)) AS whole
FROM derivatives_monthly AS d
WHERE (empty({org:Array(String)}) OR base_org IN {org:Array(String)})
    AND (empty({region:Array(String)}) OR ifNull(toString(d.region), 'unreviewed') IN {region:Array(String)})
    AND (empty({relation:Array(String)}) OR relation IN {relation:Array(String)})
    AND ({since:Nullable(Date)} IS NULL OR month >= {since:Nullable(Date)})
    AND ({until:Nullable(Date)} IS NULL OR month <= {until:Nullable(Date)})

-- Organisations and their regions.
SELECT org, toString(o.region) AS region, models, tracked
FROM organisations AS o
WHERE (empty({region:Array(String)}) OR ifNull(toString(o.region), 'unreviewed') IN {region:Array(String)})

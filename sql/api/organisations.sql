-- Organisations and their regions.
SELECT org, toString(o.region) AS region, models, tracked
FROM organisations AS o
WHERE (empty({org:Array(String)}) OR org IN {org:Array(String)})
    AND (empty({region:Array(String)}) OR ifNull(toString(o.region), 'unreviewed') IN {region:Array(String)})
    AND ({search:String} = '' OR positionCaseInsensitiveUTF8(org, {search:String}) > 0)

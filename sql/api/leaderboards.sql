-- Leaderboards published until a timestamp: all rows, or the best open model of each region.
SELECT
    toString(source) AS source, toString(board) AS board, toString(index_version) AS index_version, published_on, name,
    rating, lower, upper, votes, open, model_id, org, toString(s.region) AS region, observed_at
FROM scores AS s
WHERE published_on <= toDate({as_of:DateTime64(3, 'UTC')}) AND observed_at <= {as_of:DateTime64(3, 'UTC')}
    AND (empty({source:Array(String)}) OR source IN {source:Array(String)})
    AND (empty({board:Array(String)}) OR board IN {board:Array(String)})
    AND (empty({index_version:Array(String)}) OR index_version IN {index_version:Array(String)})
    AND (empty({model:Array(String)}) OR model_id IN {model:Array(String)})
    AND (empty({org:Array(String)}) OR org IN {org:Array(String)})
    AND (empty({region:Array(String)}) OR ifNull(toString(s.region), 'unreviewed') IN {region:Array(String)})
    AND ({open:Nullable(Bool)} IS NULL OR s.open = {open:Nullable(Bool)})
    AND ({since:Nullable(Date)} IS NULL OR published_on >= {since:Nullable(Date)})
    AND ({until:Nullable(Date)} IS NULL OR published_on <= {until:Nullable(Date)})
    AND (NOT {best:Bool} OR ifNull(s.open, false))
QUALIFY NOT {best:Bool}
    OR row_number() OVER (PARTITION BY source, board, index_version, published_on, s.region ORDER BY rating DESC, name) = 1

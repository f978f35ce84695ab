-- title: Best Artificial Analysis Intelligence Index of an open model, by region over time
-- description: Ratings of different index versions are not comparable, so each version has its own line.
-- sources: artificial-analysis
-- column published_on: UTC day
-- column index_version: version of the Intelligence Index
-- column region: us, china, eu, other, unknown, or unreviewed
-- column name: best open model of the region; ties: the first by name
-- column rating: its Intelligence Index
SELECT published_on, index_version, ifNull(toString(s.region), 'unreviewed') AS region, name, rating
FROM scores AS s
WHERE source = 'artificial-analysis' AND board = 'intelligence_index' AND ifNull(open, false)
ORDER BY index_version, published_on, region, rating DESC, name
LIMIT 1 BY index_version, published_on, region

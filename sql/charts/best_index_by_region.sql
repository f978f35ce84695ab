-- title: Best Artificial Analysis Intelligence Index of an open model, by region over time
-- meaning: Each version of the index is another quantity: lines of different versions are not joined.
-- sources: artificial-analysis
-- column published_on: UTC day
-- column index_version: version of the index
-- column region: us, china, eu, other or unknown
-- column name: best open model of the region
-- column rating: its index
SELECT published_on, index_version, region, name, rating
FROM best_scores
WHERE source = 'artificial-analysis' AND board = 'intelligence_index'
ORDER BY index_version, published_on, region

-- title: Best Arena rating of an open model, by region over time
-- meaning: Of the text leaderboard, overall, with its 95% interval.
-- sources: arena
-- column published_on: UTC day the leaderboard is of
-- column region: us, china, eu, other or unknown
-- column name: best open model of the region
-- column rating: its rating
-- column lower: lower end of its interval
-- column upper: upper end of its interval
SELECT published_on, region, name, rating, lower, upper
FROM best_scores
WHERE source = 'arena' AND board = 'text'
ORDER BY published_on, region

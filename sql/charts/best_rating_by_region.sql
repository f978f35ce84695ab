-- title: Best Arena rating of an open model, by region over time
-- description: Ratings of the overall text leaderboard, with 95% intervals.
-- sources: arena
-- column published_on: UTC day of the leaderboard
-- column region: us, china, eu, other, unknown, or unreviewed
-- column name: best open model of the region; ties: the first by name
-- column rating: its rating
-- column lower: lower bound of its 95% interval
-- column upper: upper bound of its 95% interval
SELECT published_on, ifNull(toString(s.region), 'unreviewed') AS region, name, rating, lower, upper
FROM scores AS s
WHERE source = 'arena' AND board = 'text' AND ifNull(open, false)
ORDER BY published_on, region, rating DESC, name
LIMIT 1 BY published_on, region

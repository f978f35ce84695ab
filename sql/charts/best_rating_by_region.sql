-- title: Best Arena rating of an open model, by region over time
-- meaning: Of the text leaderboard, overall, with its 95% interval.
-- sources: arena
-- column published_on: UTC day the leaderboard is of
-- column region: us, china, eu, other, unknown, or unreviewed
-- column name: best open model of the region; of equals the first by name
-- column rating: its rating
-- column lower: lower end of its interval
-- column upper: upper end of its interval
SELECT published_on, ifNull(toString(s.region), 'unreviewed') AS region, name, rating, lower, upper
FROM scores AS s
WHERE source = 'arena' AND board = 'text' AND ifNull(open, false)
ORDER BY published_on, region, rating DESC, name
LIMIT 1 BY published_on, region

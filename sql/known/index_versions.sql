-- All versions of the methods of leaderboards.
SELECT toString(index_version) AS name FROM ratings_log GROUP BY name ORDER BY name

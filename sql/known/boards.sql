-- All leaderboards of the sources.
SELECT name
FROM
(
    SELECT arrayJoin(['text', 'text_style_control', 'intelligence_index', 'coding_index', 'agentic_index']) AS name
    UNION DISTINCT
    SELECT toString(board) FROM ratings_log GROUP BY board
)
ORDER BY name

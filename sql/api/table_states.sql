-- The state of each table with rows: read often, to know which responses are still valid.
SELECT table, toString(t.state) AS state FROM table_states AS t

-- As of now the points are those that are there: only an earlier moment is worth the look at who was observed when.
CREATE OR REPLACE VIEW points_as_of
AS
WITH (SELECT max(observed_at) FROM latest_log) AS latest, ifNull({moment:DateTime64(3, 'UTC')} < latest, false) AS past
SELECT p.size_bin AS size_bin, p.age_days AS age_days, p.model_id AS model_id, p.cumulative AS cumulative, p.as_of AS as_of
FROM points AS p
WHERE NOT past
UNION ALL
-- A point is known once its model was observed at its moment or after it.
SELECT p.size_bin AS size_bin, p.age_days AS age_days, p.model_id AS model_id, p.cumulative AS cumulative, p.as_of AS as_of
FROM points AS p
INNER JOIN latest_as_of(moment = {moment:DateTime64(3, 'UTC')}) AS l ON l.model_id = p.model_id
WHERE past AND p.as_of <= l.observed_at
COMMENT 'Cumulative downloads at whole-day ages as known at its parameter `moment`, with the columns of `points`';

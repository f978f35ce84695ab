-- Those of these model ids that the registry has.
SELECT model_id AS name
FROM models_log
WHERE model_id IN {names:Array(String)}
GROUP BY name

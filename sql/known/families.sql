-- Those of these model ids that are models or ancestors of models.
SELECT name
FROM
(
    SELECT model_id AS name FROM models_log WHERE model_id IN {names:Array(String)}
    UNION DISTINCT
    SELECT model_id FROM lineage_log WHERE source = 'huggingface' AND model_id IN {names:Array(String)}
    UNION DISTINCT
    SELECT arrayJoin(arrayIntersect(ancestors, {names:Array(String)}))
    FROM lineage_log
    WHERE hasAny(ancestors, {names:Array(String)})
)

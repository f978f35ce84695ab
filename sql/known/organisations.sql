-- All organisations: of models, and of names that other sources use.
SELECT name
FROM
(
    SELECT toString(org) AS name FROM models_log GROUP BY name
    UNION DISTINCT
    SELECT assumeNotNull(org) FROM names_log WHERE org IS NOT NULL
    UNION DISTINCT
    SELECT splitByChar('/', assumeNotNull(model_id))[1] FROM names_log WHERE model_id IS NOT NULL
)
WHERE name != ''
ORDER BY name

-- Model ids spelled like this one: a first choice, of which the nearest are taken.
WITH splitByChar('/', {name:String})[-1] AS part
SELECT name
FROM
(
    SELECT model_id AS name FROM models_log GROUP BY name
    UNION DISTINCT
    -- The current name of a repository that counts under another one.
    SELECT model_id FROM renamed_models WHERE renamed_models.name = {name:String}
)
ORDER BY
    lowerUTF8(name) = lowerUTF8({name:String}) DESC,
    name IN (SELECT model_id FROM renamed_models WHERE renamed_models.name = {name:String}) DESC,
    lowerUTF8(splitByChar('/', name)[-1]) = lowerUTF8(part) DESC,
    least(
        ngramDistanceCaseInsensitiveUTF8(name, {name:String}),
        ngramDistanceCaseInsensitiveUTF8(splitByChar('/', name)[-1], part)
    ),
    name
LIMIT 50

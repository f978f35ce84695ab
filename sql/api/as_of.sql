-- The latest timestamp of the data of these sources: the latest `as_of` of a response.
SELECT maxOrNull(at) AS as_of
FROM
(
    SELECT max(toNullable(observed_at)) AS at FROM scrapes_log WHERE source IN {sources:Array(String)}
    UNION ALL
    SELECT max(toNullable(observed_at)) FROM models_log WHERE has({sources:Array(String)}, 'tracked-models')
    UNION ALL
    SELECT max(toNullable(as_of)) FROM inference_log WHERE source IN {sources:Array(String)}
    UNION ALL
    SELECT max(toNullable(observed_at)) FROM ratings_log WHERE source IN {sources:Array(String)}
    UNION ALL
    SELECT max(toNullable(observed_at)) FROM derivatives_log WHERE source IN {sources:Array(String)}
)

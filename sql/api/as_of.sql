-- The latest timestamp of the data of each source: the latest of those of a response is its latest `as_of`.
SELECT toString(source) AS source, max(observed_at) AS as_of FROM scrapes_log GROUP BY source
UNION ALL
SELECT 'tracked-models' AS source, max(observed_at) AS as_of FROM models_log HAVING count() > 0
UNION ALL
SELECT toString(source) AS source, max(i.as_of) AS as_of FROM inference_log AS i GROUP BY source
UNION ALL
SELECT toString(source) AS source, max(observed_at) AS as_of FROM ratings_log GROUP BY source
UNION ALL
SELECT toString(source) AS source, max(observed_at) AS as_of FROM derivatives_log GROUP BY source

-- Archives from which the history of the Hub's counters was filled.
SELECT toString(origin) AS name
FROM backfills
WHERE source = 'huggingface' AND origin IN (SELECT source FROM sources_log)
GROUP BY name
ORDER BY name

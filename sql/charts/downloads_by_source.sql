-- title: Downloads on the Hugging Face Hub and on ModelScope, side by side
-- description: The two sources count in different ways, so their counters are never added up.
-- sources: huggingface, modelscope, tracked-models
-- parameter top UInt32 = 20: models shown, by their downloads on ModelScope
-- column model_id: tracked model observed on ModelScope
-- column huggingface: cumulative downloads on the Hub; null = never observed there
-- column modelscope: cumulative downloads on ModelScope
-- column ratio: downloads on ModelScope / downloads on the Hub
SELECT model_id, huggingface, modelscope, modelscope / nullIf(huggingface, 0) AS ratio
FROM
(
    SELECT
        model_id, maxIf(toNullable(cumulative), source = 'huggingface') AS huggingface,
        maxIf(toNullable(cumulative), source = 'modelscope') AS modelscope
    FROM tracked_downloads
    GROUP BY model_id
)
WHERE modelscope IS NOT NULL
ORDER BY modelscope DESC, model_id
LIMIT {top:UInt32}

-- title: Downloads of tracked models and of their derivatives
-- description: A model's own downloads, and those of its derivatives since their creation. A merge counts for each of its base models, so totals of families must not be added up.
-- sources: huggingface, tracked-models
-- parameter top UInt32 = 20: families shown
-- column model_id: tracked model
-- column family_downloads: downloads of the model and its derivatives; null = the model itself was never observed
-- column own_downloads: downloads of the model itself; null = never observed
-- column quantized_downloads: downloads of its quantized copies
-- column finetune_downloads: downloads of its finetunes
-- column adapter_downloads: downloads of its adapters
-- column merge_downloads: downloads of its merges
-- column unknown_downloads: downloads of derivatives without a relation on the Hub
-- column derivatives: number of derivatives
-- column share_of_derivatives: share of all derivatives in the family's downloads
SELECT
    model_id, family_downloads, own_downloads, quantized_downloads, finetune_downloads, adapter_downloads,
    merge_downloads, unknown_downloads, derivatives,
    (family_downloads - own_downloads) / nullIf(family_downloads, 0) AS share_of_derivatives
FROM families
WHERE own_downloads IS NOT NULL OR derivatives > 0
ORDER BY family_downloads DESC NULLS LAST, model_id
LIMIT {top:UInt32}

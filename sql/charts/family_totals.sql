-- title: What derivatives add to the downloads of tracked models
-- meaning: A model's own downloads, and those of its counted derivatives since their creation. A merge counts for each of its bases, so families do not add up.
-- sources: huggingface, tracked-models
-- parameter top UInt32 = 20: families shown
-- column model_id: tracked model
-- column family_downloads: its own downloads and those of its derivatives; null = it itself was never observed
-- column own_downloads: its own downloads; null = never observed
-- column quantized_downloads: downloads of its quantized copies
-- column finetune_downloads: downloads of its finetunes
-- column adapter_downloads: downloads of its adapters
-- column merge_downloads: downloads of merges with it
-- column unknown_downloads: downloads of derivatives whose relation the Hub does not say
-- column derivatives: how many derivatives
-- column share_of_derivatives: what all derivatives are of the family's downloads
SELECT
    model_id, family_downloads, own_downloads, quantized_downloads, finetune_downloads, adapter_downloads,
    merge_downloads, unknown_downloads, derivatives,
    (family_downloads - own_downloads) / nullIf(family_downloads, 0) AS share_of_derivatives
FROM families
WHERE own_downloads IS NOT NULL OR derivatives > 0
ORDER BY family_downloads DESC NULLS LAST, model_id
LIMIT {top:UInt32}

-- title: What derivatives add to the downloads of tracked models
-- meaning: A model's own downloads, and those of its counted quantized copies, finetunes, adapters and merges since their creation.
-- sources: huggingface, tracked-models
-- parameter top UInt32 = 20: families shown
-- column model_id: tracked model
-- column own_downloads: its own downloads
-- column quantized_downloads: downloads of its quantized copies
-- column finetune_downloads: downloads of its finetunes
-- column adapter_downloads: downloads of its adapters
-- column merge_downloads: downloads of merges with it
-- column derivatives: how many derivatives
-- column share_of_derivatives: what all derivatives are of the family's downloads
SELECT
    model_id, own_downloads, quantized_downloads, finetune_downloads, adapter_downloads, merge_downloads, derivatives,
    (family_downloads - own_downloads) / nullIf(family_downloads, 0) AS share_of_derivatives
FROM families
WHERE family_downloads IS NOT NULL
ORDER BY family_downloads DESC, model_id
LIMIT {top:UInt32}

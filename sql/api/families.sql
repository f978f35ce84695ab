-- Downloads of each tracked model and of its derivatives, as of the latest survey.
SELECT
    model_id, toString(f.org) AS org, toString(m.region) AS region, toString(f.size_bin) AS size_bin, own_downloads, derivatives,
    quantized_downloads, finetune_downloads, adapter_downloads, merge_downloads, unknown_downloads, family_downloads, f.as_of AS as_of
FROM families AS f
INNER JOIN models AS m ON m.model_id = f.model_id
WHERE (empty({model:Array(String)}) OR model_id IN {model:Array(String)})
    AND (empty({org:Array(String)}) OR f.org IN {org:Array(String)})
    AND (empty({region:Array(String)}) OR ifNull(toString(m.region), 'unreviewed') IN {region:Array(String)})
    AND (empty({size_bin:Array(String)}) OR ifNull(toString(f.size_bin), 'unknown') IN {size_bin:Array(String)})

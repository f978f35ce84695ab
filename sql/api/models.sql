-- Models and their facts, always the latest: models_log keeps only the newest record.
SELECT
    model_id, toString(org) AS org, toString(region) AS region, total_params_b, active_params_b, toString(size_bin) AS size_bin,
    released_at, created_at, toString(license) AS license, toString(pipeline_tag) AS pipeline_tag, base_models,
    toString(base_relation) AS base_relation, tracked, toString(size_source) AS size_source,
    toString(released_source) AS released_source, toString(region_source) AS region_source, observed_at
FROM models AS m
WHERE (empty({model:Array(String)}) OR model_id IN {model:Array(String)})
    AND (empty({org:Array(String)}) OR m.org IN {org:Array(String)})
    AND (empty({region:Array(String)}) OR ifNull(toString(m.region), 'unreviewed') IN {region:Array(String)})
    AND (empty({size_bin:Array(String)}) OR ifNull(toString(m.size_bin), 'unknown') IN {size_bin:Array(String)})
    AND ({tracked:Nullable(Bool)} IS NULL OR tracked = {tracked:Nullable(Bool)})
    AND ({released_from:Nullable(Date)} IS NULL OR released_at >= {released_from:Nullable(Date)})
    AND ({released_to:Nullable(Date)} IS NULL OR released_at <= {released_to:Nullable(Date)})
    -- family:
    AND (
        model_id IN {family:Array(String)} OR hasAny(base_models, {family:Array(String)})
        OR model_id IN (SELECT model_id FROM lineage_log FINAL WHERE hasAny(ancestors, {family:Array(String)}))
    )
    -- :family
    AND ({search:String} = '' OR positionCaseInsensitiveUTF8(model_id, {search:String}) > 0)

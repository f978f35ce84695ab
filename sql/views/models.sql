CREATE OR REPLACE VIEW models
(
    model_id String COMMENT 'Model id, as its hub spells it',
    org LowCardinality(String) COMMENT 'Publishing organisation',
    region LowCardinality(Nullable(String)) COMMENT 'us, china, eu, other, unknown; null = not reviewed',
    region_source LowCardinality(Nullable(String)) COMMENT 'Source of the region',
    total_params_b Nullable(Float64) COMMENT 'Total parameters, decimal billions',
    active_params_b Nullable(Float64) COMMENT 'Active parameters, decimal billions; never inferred',
    size_source LowCardinality(Nullable(String)) COMMENT 'Source of the size: override, manual, safetensors, name',
    size_bin LowCardinality(Nullable(String)) COMMENT 'Size bin by total parameters; null = no RAM',
    released_at Nullable(Date) COMMENT 'Release date: day 0 of the age, 00:00 UTC',
    released_source LowCardinality(Nullable(String))
        COMMENT 'Source of the release date: override, correction, created_at',
    created_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Creation of the repository, UTC',
    license LowCardinality(Nullable(String)) COMMENT 'Licence as the hub tags it',
    pipeline_tag LowCardinality(Nullable(String)) COMMENT 'Task as the hub tags it',
    base_models Array(String) COMMENT 'Models it derives from, according to the hub',
    base_relation LowCardinality(Nullable(String)) COMMENT 'adapter, merge, quantized or finetune',
    tracked Bool COMMENT 'Whether it is on the tracked list and so eligible as a peer',
    size_disputed Bool COMMENT 'Whether the witnesses of its size contradict each other, so that it has no size bin',
    size_manual_b Nullable(Float64) COMMENT 'Size in the manual table, decimal billions',
    size_parameters_b Nullable(Float64) COMMENT 'Sum of the weights'' parameters by type, decimal billions',
    size_total_b Nullable(Float64) COMMENT 'Total that the weights state themselves, decimal billions',
    size_name_b Nullable(Float64) COMMENT 'Size that the name states, decimal billions',
    repository Nullable(String) COMMENT 'The hub''s own id of the repository, which a rename does not change',
    renamed_to Nullable(String) COMMENT 'Current name of a repository that was renamed; null = model_id',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment at which the registry was read, UTC'
)
AS SELECT * FROM models_log FINAL
COMMENT 'Facts about models and the sources of the facts: one row per model';

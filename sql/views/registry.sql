CREATE OR REPLACE VIEW renamed_models
(
    name String COMMENT 'Another name of the model''s repository, former or current',
    model_id String COMMENT 'Tracked model id under which the repository counts'
)
AS SELECT
    if(m.tracked, assumeNotNull(m.renamed_to), m.model_id) AS name,
    any(if(m.tracked, m.model_id, assumeNotNull(m.renamed_to))) AS model_id
FROM models_log AS m FINAL
WHERE m.renamed_to IS NOT NULL
    AND (m.tracked OR m.renamed_to IN (SELECT model_id FROM models_log FINAL WHERE tracked))
GROUP BY name
COMMENT 'Other names of tracked models that the hub renamed: one row per name';

-- Before the registry was first read, its first reading counts: what it was then is not known.
CREATE OR REPLACE VIEW models_as_of
AS SELECT *
FROM models_history FINAL
WHERE observed_at <= greatest(
    {moment:DateTime64(3, 'UTC')}, (SELECT min(observed_at) FROM models_history WHERE tracked)
)
ORDER BY model_id, observed_at DESC
LIMIT 1 BY model_id
COMMENT 'Facts about models as the registry had them at the parameter `moment`, with the columns of `models`';

-- A model's first record is no change.
CREATE OR REPLACE VIEW registry_changes
(
    model_id String COMMENT 'Model id, as its hub spells it',
    field String COMMENT 'size_bin, total_params_b, size_disputed, released_at, region or tracked',
    before Nullable(String) COMMENT 'Value before the change; null = none',
    after Nullable(String) COMMENT 'Value since the change; null = none',
    changed_at DateTime64(3, 'UTC') COMMENT 'Moment at which the registry was read with the new value, UTC',
    source String
        COMMENT 'Source of the new value, as in models: override, manual, safetensors, name, correction, created_at, a file'
)
AS SELECT
    model_id, change.1 AS field, change.2 AS before, change.3 AS after, changed_at, ifNull(change.4, '') AS source
FROM
(
    SELECT
        model_id, observed_at AS changed_at,
        arrayJoin(arrayFilter(
            one -> ifNull(one.2 != one.3, isNull(one.2) != isNull(one.3)),
            arrayMap(
                (field, source) -> (field, facts_before[field], facts[field], ifNull(facts[source], facts_before[source])),
                ['size_bin', 'total_params_b', 'size_disputed', 'released_at', 'region', 'tracked'],
                ['size_source', 'size_source', 'witnesses', 'released_source', 'region_source', 'list']
            )
        )) AS change
    FROM
    (
        SELECT
            model_id, observed_at, facts,
            lagInFrame(facts) OVER one_model AS facts_before, row_number() OVER one_model AS number
        FROM
        (
            SELECT
                model_id, observed_at,
                CAST(
                    map(
                        'size_bin', toString(size_bin), 'total_params_b', toString(total_params_b),
                        'size_disputed', toString(size_disputed), 'released_at', toString(released_at),
                        'region', toString(region), 'tracked', toString(tracked),
                        'size_source', toString(size_source), 'released_source', toString(released_source),
                        'region_source', toString(region_source), 'witnesses', 'witnesses', 'list', 'tracked-models'
                    ),
                    'Map(String, Nullable(String))'
                ) AS facts
            FROM models_history FINAL
        )
        WINDOW one_model AS
        (
            PARTITION BY model_id ORDER BY observed_at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
        )
    )
    WHERE number > 1
)
COMMENT 'Changes of facts about models: one row per model, field and change';

CREATE OR REPLACE VIEW size_disputes
(
    model_id String COMMENT 'Model id, as its hub spells it',
    org LowCardinality(String) COMMENT 'Publishing organisation',
    tracked Bool COMMENT 'Whether it is on the tracked list',
    manual_b Nullable(Float64) COMMENT 'Size in the manual table, decimal billions',
    parameters_b Nullable(Float64) COMMENT 'Sum of the weights'' parameters by type, decimal billions',
    total_b Nullable(Float64) COMMENT 'Total that the weights state themselves, decimal billions',
    name_b Nullable(Float64) COMMENT 'Size that the name states, decimal billions',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment at which the registry was read, UTC'
)
AS SELECT
    model_id, org, tracked, size_manual_b AS manual_b, size_parameters_b AS parameters_b, size_total_b AS total_b,
    size_name_b AS name_b, observed_at
FROM models_log FINAL
WHERE size_disputed
ORDER BY tracked DESC, model_id
COMMENT 'Models whose size is disputed: they have no size bin until an override settles it; one row per model';

CREATE OR REPLACE VIEW points
(
    size_bin LowCardinality(String) COMMENT 'Size bin of the model',
    age_days UInt16 COMMENT 'Whole days since 00:00 UTC of the release date',
    model_id String COMMENT 'Model id, as its hub spells it',
    cumulative UInt64 COMMENT 'Cumulative downloads at that age',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment of that age, UTC'
)
AS SELECT size_bin, age_days, model_id, assumeNotNull(cumulative) AS cumulative, as_of
FROM points_log FINAL
WHERE points_log.cumulative IS NOT NULL
COMMENT 'Cumulative downloads at whole-day ages: one row per size bin, age and model';

CREATE OR REPLACE VIEW breakouts
(
    baseline LowCardinality(String) COMMENT 'Baseline that was passed',
    model_id String COMMENT 'Model id, as its hub spells it',
    crossed_at DateTime64(3, 'UTC') COMMENT 'Moment of the whole-day age at which RAM reached 1.0, UTC',
    age_days UInt16 COMMENT 'Age at the crossing, whole days',
    ram Float64 COMMENT 'RAM at that age',
    ended_at Nullable(DateTime64(3, 'UTC'))
        COMMENT 'Moment of the first age after it with RAM below 0.9, UTC; null = ongoing',
    status String COMMENT 'confirmed or burst: without its greatest days, a burst stays below 1.0',
    confirmed_at Nullable(DateTime64(3, 'UTC'))
        COMMENT 'Moment of the first age, from the crossing on, with capped RAM of 1.0 or more, UTC; null = a burst',
    ram_capped Nullable(Float64)
        COMMENT 'RAM at the crossing with no day above 10 times the median day so far; null = too few days',
    top_day_share Nullable(Float64) COMMENT 'Share of the greatest day in the downloads up to the crossing'
)
AS SELECT
    baseline, model_id, crossed_at, age_days, ram, ended_at,
    if(confirmed_at IS NULL, 'burst', 'confirmed') AS status, confirmed_at, ram_capped, top_day_share
FROM breakouts_log FINAL
WHERE NOT retracted
COMMENT 'First crossings of 1.0x by models 7 to 90 days old: one row per baseline and model';

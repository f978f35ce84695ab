CREATE OR REPLACE VIEW downloads_daily
(
    model_id String COMMENT 'Model id, as the Hub spells it',
    day Date COMMENT 'UTC day',
    downloads Nullable(UInt64) COMMENT 'Downloads within the day; null on the first day, which is partial',
    cumulative UInt64 COMMENT 'Cumulative downloads at the end of the day, 24:00 UTC',
    correction UInt64 COMMENT 'Downloads that corrections within the day took away',
    basis LowCardinality(String) COMMENT 'What the row rests on: observed, held or gap'
)
AS SELECT model_id, day, downloads, cumulative, correction, basis
FROM daily_log FINAL
WHERE source = 'huggingface'
COMMENT 'Daily downloads on the Hub: one row per model and UTC day';

CREATE OR REPLACE VIEW downloads_daily_by_source
(
    model_id String COMMENT 'Model id, as its hub spells it',
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope; never add sources up',
    day Date COMMENT 'UTC day',
    downloads Nullable(UInt64) COMMENT 'Downloads within the day; null on the first day, which is partial',
    cumulative UInt64 COMMENT 'Cumulative downloads at the end of the day, 24:00 UTC',
    correction UInt64 COMMENT 'Downloads that corrections within the day took away',
    basis LowCardinality(String) COMMENT 'What the row rests on: observed, held or gap'
)
AS SELECT model_id, source, day, downloads, cumulative, correction, basis
FROM daily_log FINAL
COMMENT 'Daily downloads of all sources: one row per model, source and UTC day';

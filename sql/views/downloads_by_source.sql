CREATE OR REPLACE VIEW downloads_by_source
(
    model_id String COMMENT 'Model id as the Hub spells it',
    huggingface Nullable(UInt64) COMMENT 'Clean cumulative downloads on the Hugging Face Hub; null = not observed',
    huggingface_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Moment of that observation, UTC',
    modelscope Nullable(UInt64) COMMENT 'Clean cumulative downloads on ModelScope; null = not observed',
    modelscope_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Moment of that observation, UTC'
)
AS SELECT
    model_id,
    maxIf(toNullable(cumulative), source = 'huggingface') AS huggingface,
    maxIf(toNullable(observed_at), source = 'huggingface') AS huggingface_at,
    maxIf(toNullable(cumulative), source = 'modelscope') AS modelscope,
    maxIf(toNullable(observed_at), source = 'modelscope') AS modelscope_at
FROM closings_log
GROUP BY model_id
COMMENT 'Latest cumulative downloads by source, side by side: one row per model';

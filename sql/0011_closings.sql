-- The last observation of every day, so that what is asked by day need not read every observation.
-- Of one day the latest moment wins, and of one moment the greater version, as in `downloads_log`: rows
-- that are restated, late or written twice end up the same, in any order.
CREATE TABLE closings_log
(
    source LowCardinality(String) COMMENT 'Whose counters: huggingface, modelscope',
    model_id String CODEC(ZSTD(1)) COMMENT 'Model id as its hub spells it',
    day Date CODEC(DoubleDelta, ZSTD(1)) COMMENT 'UTC day',
    observed_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)) COMMENT 'Moment of its last observation with a counter, UTC',
    cumulative UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Clean downloads then',
    standing Bool COMMENT 'Whether the raw counter equalled the one before',
    rank UInt128 COMMENT 'That moment in milliseconds, times 2 to the 64th, and the version of its row: the greatest wins'
)
ENGINE = ReplacingMergeTree(rank)
PARTITION BY toYYYYMM(day)
ORDER BY (source, model_id, day)
COMMENT 'Last observation of every model and day';

CREATE MATERIALIZED VIEW closings_feed TO closings_log
AS SELECT
    source, model_id, toDate(observed_at) AS day, observed_at,
    assumeNotNull(d.cumulative) AS cumulative, ifNull(d.standing, false) AS standing,
    bitShiftLeft(toUInt128(toUnixTimestamp64Milli(observed_at)), 64) + version AS rank
FROM downloads_log AS d
WHERE d.cumulative IS NOT NULL
COMMENT 'Fills closings_log with every insert into downloads_log';

-- What was there before; a row that comes twice, or meanwhile by the feed, changes nothing.
INSERT INTO closings_log
SELECT
    source, model_id, toDate(observed_at) AS day, observed_at,
    assumeNotNull(d.cumulative) AS cumulative, ifNull(d.standing, false) AS standing,
    bitShiftLeft(toUInt128(toUnixTimestamp64Milli(observed_at)), 64) + version AS rank
FROM downloads_log AS d
WHERE d.cumulative IS NOT NULL;

CREATE OR REPLACE VIEW downloads_daily
(
    model_id String COMMENT 'Model id as its hub spells it',
    day Date COMMENT 'UTC day',
    downloads Nullable(UInt64) COMMENT 'New downloads of the day; catch-ups after stalls and gaps spread evenly, totals exact; null on the first day',
    cumulative UInt64 COMMENT 'Clean cumulative downloads at the end of the day'
)
AS
WITH usable AS
(
    SELECT
        model_id, day, closing,
        lagInFrame(toNullable(day)) OVER before AS day_before,
        lagInFrame(toNullable(closing)) OVER before AS closing_before
    FROM
    (
        SELECT model_id, day, cumulative AS closing
        FROM closings_log FINAL
        WHERE source = 'huggingface' AND NOT
        (
            standing
            AND observed_at IN (SELECT observed_at FROM scrapes WHERE stalled AND source = 'huggingface')
        )
    )
    WINDOW before AS (PARTITION BY model_id ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
)
SELECT
    model_id,
    day - days + step AS day,
    -- floor(grown * step / days), parted so that no product passes 64 bits.
    if(
        day_before IS NULL,
        NULL,
        intDiv(grown, days) + intDiv(grown % days * step, days) - intDiv(grown % days * (step - 1), days)
    ) AS downloads,
    from_closing + intDiv(grown, days) * step + intDiv(grown % days * step, days) AS cumulative
FROM
(
    SELECT
        model_id, usable.day AS day, day_before,
        toUInt64(ifNull(usable.day - day_before, 1)) AS days,
        ifNull(closing_before, closing) AS from_closing,
        toUInt64(closing - from_closing) AS grown,
        arrayJoin(range(1, days + 1)) AS step
    FROM usable
)
COMMENT 'New downloads by UTC day, repaired for stalls and gaps';

CREATE OR REPLACE VIEW downloads_by_source
(
    model_id String COMMENT 'Model id as the Hub spells it',
    huggingface Nullable(UInt64) COMMENT 'Clean cumulative downloads on the Hugging Face Hub; null = not observed',
    huggingface_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When that was observed last, UTC',
    modelscope Nullable(UInt64) COMMENT 'Clean cumulative downloads on ModelScope; null = not observed',
    modelscope_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When that was observed last, UTC'
)
AS SELECT
    model_id,
    maxIf(toNullable(cumulative), source = 'huggingface') AS huggingface,
    maxIf(toNullable(observed_at), source = 'huggingface') AS huggingface_at,
    maxIf(toNullable(cumulative), source = 'modelscope') AS modelscope,
    maxIf(toNullable(observed_at), source = 'modelscope') AS modelscope_at
FROM closings_log
GROUP BY model_id
COMMENT 'Latest downloads of each model by source, side by side';

CREATE OR REPLACE VIEW families
(
    model_id String COMMENT 'Tracked model',
    org LowCardinality(String) COMMENT 'Publishing organisation',
    size_bin LowCardinality(Nullable(String)) COMMENT 'Size bin of the model',
    own_downloads Nullable(UInt64) COMMENT 'Its own clean cumulative downloads on the Hub; null = never observed',
    derivatives UInt64 COMMENT 'Its counted derivatives',
    quantized_downloads UInt64 COMMENT 'Downloads of its quantized copies since their creation',
    finetune_downloads UInt64 COMMENT 'Downloads of its finetunes since their creation',
    adapter_downloads UInt64 COMMENT 'Downloads of its adapters since their creation',
    merge_downloads UInt64 COMMENT 'Downloads of merges with it since their creation: a merge counts for each of its bases',
    unknown_downloads UInt64 COMMENT 'Downloads of derivatives whose relation the hub does not say',
    family_downloads Nullable(UInt64) COMMENT 'Its own and all of theirs; null = it itself was never observed',
    as_of Nullable(DateTime64(3, 'UTC')) COMMENT 'Latest observation of any derivative, UTC'
)
AS SELECT
    m.model_id AS model_id, m.org AS org, m.size_bin AS size_bin, own.cumulative AS own_downloads,
    d.derivatives AS derivatives, d.quantized AS quantized_downloads, d.finetune AS finetune_downloads,
    d.adapter AS adapter_downloads, d.merge AS merge_downloads, d.unknown AS unknown_downloads,
    own.cumulative + d.quantized + d.finetune + d.adapter + d.merge + d.unknown AS family_downloads,
    d.as_of AS as_of
FROM (SELECT * FROM models WHERE tracked) AS m
-- The greatest cumulative is the latest: a running maximum, which restating only lifts.
LEFT JOIN
(
    SELECT model_id, max(toNullable(closings_log.cumulative)) AS cumulative FROM closings_log WHERE source = 'huggingface' GROUP BY model_id
) AS own ON own.model_id = m.model_id
LEFT JOIN
(
    SELECT
        base, count() AS derivatives, max(toNullable(observed_at)) AS as_of,
        sumIf(all_time, relation = 'quantized') AS quantized, sumIf(all_time, relation = 'finetune') AS finetune,
        sumIf(all_time, relation = 'adapter') AS adapter, sumIf(all_time, relation = 'merge') AS merge,
        sumIf(all_time, relation NOT IN ('quantized', 'finetune', 'adapter', 'merge')) AS unknown
    FROM
    (
        SELECT arrayJoin(bases) AS base, relation, assumeNotNull(downloads_all_time) AS all_time, observed_at
        FROM derivatives WHERE counted AND source = 'huggingface'
    )
    GROUP BY base
) AS d ON d.base = m.model_id
COMMENT 'What the derivatives of each tracked model add to its downloads';

CREATE OR REPLACE VIEW downloads_daily
(
    model_id String COMMENT 'Model id, as its hub spells it',
    day Date COMMENT 'UTC day',
    downloads Nullable(UInt64)
        COMMENT 'New downloads of the day, with growth over stalls and gaps spread evenly; null on the first day',
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
    -- floor(grown * step / days), split so that no product exceeds 64 bits.
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
COMMENT 'New downloads on the Hub, repaired for stalls and gaps: one row per model and UTC day';

-- `delta` is the one column that needs the rows before it; a query without it computes no window.
CREATE OR REPLACE VIEW downloads_by_source_log
(
    model_id String COMMENT 'Model id, as its hub spells it',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the observation, UTC',
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope; never add sources up',
    origin LowCardinality(String)
        COMMENT 'How it was read: live, or the name of an archive; with -30d, by the 30-day counter of a young repository',
    downloads_all_time Nullable(UInt64) COMMENT 'Raw counter: downloads since creation; null = not reported',
    downloads_30d Nullable(UInt64) COMMENT 'Raw counter: downloads in the 30 days before; never cumulative',
    likes Nullable(UInt64) COMMENT 'Likes at that moment',
    cumulative Nullable(UInt64) COMMENT 'Cumulative downloads; null = no knot: the true counter is not known here',
    delta Nullable(UInt64) COMMENT 'Downloads since the knot before; null for the first, and where there is no knot',
    state LowCardinality(Nullable(String))
        COMMENT 'first, rise, between, idle, held, rollback or correction; null = no counter since creation',
    correction Nullable(UInt64) COMMENT 'Downloads that a correction took away; null in any other state'
)
AS SELECT
    model_id, observed_at, source, origin, downloads_all_time, downloads_30d, likes, cumulative,
    -- An idle counter is unchanged, and nothing grows up to a correction.
    multiIf(
        state = 'rise', toUInt64(cumulative - anyLast(cumulative) OVER earlier),
        state IN ('idle', 'correction'), 0, NULL
    ) AS delta,
    state, correction
FROM
(
    SELECT
        model_id, observed_at, source, origin, downloads_all_time, downloads_30d, likes, state, correction,
        if(state IN ('first', 'rise', 'idle', 'correction'), downloads_all_time, NULL) AS cumulative
    FROM downloads_log FINAL
)
WINDOW earlier AS
(
    PARTITION BY model_id, source ORDER BY observed_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
)
COMMENT 'Observations of download counters of all sources: one row per model, source and moment';

CREATE OR REPLACE VIEW downloads
(
    model_id String COMMENT 'Model id, as the Hub spells it',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the observation, UTC',
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface',
    origin LowCardinality(String)
        COMMENT 'How it was read: live, or the name of an archive; with -30d, by the 30-day counter of a young repository',
    downloads_all_time Nullable(UInt64) COMMENT 'Raw counter: downloads since creation; null = not reported',
    downloads_30d Nullable(UInt64) COMMENT 'Raw counter: downloads in the 30 days before; never cumulative',
    likes Nullable(UInt64) COMMENT 'Likes at that moment',
    cumulative Nullable(UInt64) COMMENT 'Cumulative downloads; null = no knot: the true counter is not known here',
    delta Nullable(UInt64) COMMENT 'Downloads since the knot before; null for the first, and where there is no knot',
    state LowCardinality(Nullable(String))
        COMMENT 'first, rise, between, idle, held, rollback or correction; null = no counter since creation',
    correction Nullable(UInt64) COMMENT 'Downloads that a correction took away; null in any other state'
)
AS SELECT
    model_id, observed_at, source, origin, downloads_all_time, downloads_30d, likes, cumulative, delta, state,
    correction
FROM downloads_by_source_log
WHERE source = 'huggingface'
COMMENT 'Observations of download counters on the Hub: one row per model and moment';

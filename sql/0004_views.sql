-- The public SQL interface. Reads see one row per key.
CREATE VIEW models
(
    model_id String COMMENT 'Model id as its hub spells it',
    org LowCardinality(String) COMMENT 'Publishing organisation',
    region LowCardinality(Nullable(String)) COMMENT 'us, china, eu, other, unknown; null = not reviewed',
    region_source LowCardinality(Nullable(String)) COMMENT 'Where the region comes from',
    total_params_b Nullable(Float64) COMMENT 'Total parameters, decimal billions',
    active_params_b Nullable(Float64) COMMENT 'Active parameters, decimal billions; never inferred',
    size_source LowCardinality(Nullable(String)) COMMENT 'Where the size comes from: override, manual, safetensors, name',
    size_bin LowCardinality(Nullable(String)) COMMENT 'Size bin by total parameters; null = not scored',
    released_at Nullable(Date) COMMENT 'Day 0 of the age, 00:00 UTC',
    released_source LowCardinality(Nullable(String)) COMMENT 'Where the release date comes from: override, correction, created_at',
    created_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Creation of the repository, UTC',
    license LowCardinality(Nullable(String)) COMMENT 'Licence as the hub tags it',
    pipeline_tag LowCardinality(Nullable(String)) COMMENT 'Task as the hub tags it',
    base_models Array(String) COMMENT 'Models it derives from, as the hub says',
    base_relation LowCardinality(Nullable(String)) COMMENT 'adapter, merge, quantized or finetune',
    tracked Bool COMMENT 'On the tracked list, so it counts among the peers',
    observed_at DateTime64(3, 'UTC') COMMENT 'When the registry was read, UTC'
)
AS SELECT * FROM models_log FINAL
COMMENT 'What is known of each model and where each fact comes from';

CREATE VIEW scrapes
(
    source LowCardinality(String) COMMENT 'Whose counters',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the scrape, UTC',
    models UInt64 COMMENT 'Observations of the scrape',
    compared UInt64 COMMENT 'Those with an earlier observation to compare with',
    standing UInt64 COMMENT 'Those whose raw counter equals the one before',
    complete Bool COMMENT 'Whether the scrape got all it wanted',
    stalled Bool COMMENT 'Neither it nor any scrape of the 23.5 hours before it moved more than a quarter of the counters'
)
AS SELECT
    source, observed_at, models, compared, standing, complete,
    compared > 0 AND max(moves) OVER (
        PARTITION BY source ORDER BY toUnixTimestamp64Milli(observed_at)
        RANGE BETWEEN 84599999 PRECEDING AND CURRENT ROW
    ) = 0 AS stalled
FROM
(
    SELECT
        source, observed_at,
        sum(models) AS models, sum(compared) AS compared, sum(standing) AS standing,
        min(complete) AS complete,
        toUInt8(compared = 0 OR 4 * (compared - standing) > compared) AS moves
    FROM scrapes_log FINAL
    GROUP BY source, observed_at
)
COMMENT 'Scrapes, and whether nearly all counters stood still';

CREATE VIEW downloads
(
    model_id String COMMENT 'Model id as its hub spells it',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the observation, UTC',
    source LowCardinality(String) COMMENT 'Whose counters: huggingface, modelscope; never add them up',
    origin LowCardinality(String) COMMENT 'How they were read: live, or the name of an archive',
    downloads_all_time Nullable(UInt64) COMMENT 'Raw counter: downloads since creation; null = not said',
    downloads_30d Nullable(UInt64) COMMENT 'Raw counter: downloads in the 30 days before; never cumulative',
    likes Nullable(UInt64) COMMENT 'Likes at that moment',
    cumulative Nullable(UInt64) COMMENT 'Clean downloads: running maximum of the raw counter by observation time',
    delta Nullable(UInt64) COMMENT 'New downloads since the observation before; null for the first',
    revision Nullable(UInt64) COMMENT 'How far the raw counter fell since the observation before; null = it did not',
    stalled Bool COMMENT 'Its scrape is stalled and the counter equals the one before',
    jump Bool COMMENT 'Cumulative grew at least tenfold from at least 1000 since the observation before'
)
AS SELECT
    model_id, observed_at, source, origin, downloads_all_time, downloads_30d, likes,
    cumulative, delta, revision,
    coalesce(standing, false)
        AND (source, observed_at) IN (SELECT source, observed_at FROM scrapes WHERE stalled) AS stalled,
    jump
FROM downloads_log FINAL
COMMENT 'Observations of download counters with their clean series';

CREATE VIEW downloads_daily
(
    model_id String COMMENT 'Model id as its hub spells it',
    day Date COMMENT 'UTC day',
    downloads Nullable(UInt64) COMMENT 'New downloads of the day; catch-ups after stalls and gaps spread evenly, totals exact; null on the first day',
    cumulative UInt64 COMMENT 'Clean cumulative downloads at the end of the day'
)
AS
WITH closings AS
(
    SELECT
        model_id,
        toDate(observed_at) AS day,
        argMax(downloads.cumulative, observed_at) AS closing,
        argMax(stalled, observed_at) AS skipped
    FROM downloads
    WHERE source = 'huggingface' AND downloads.cumulative IS NOT NULL
    GROUP BY model_id, day
),
usable AS
(
    SELECT
        model_id, day, assumeNotNull(closing) AS closing,
        lagInFrame(toNullable(day)) OVER before AS day_before,
        lagInFrame(toNullable(assumeNotNull(closing))) OVER before AS closing_before
    FROM closings
    WHERE NOT skipped
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

CREATE VIEW baselines
(
    baseline LowCardinality(String) COMMENT 'live, live_fixed, live_cutoff, or the name of a frozen one',
    size_bin LowCardinality(String) COMMENT 'Size bin',
    age_days UInt16 COMMENT 'Whole days since release',
    peers UInt8 COMMENT 'Models the value rests on, 10 at most',
    downloads Nullable(Float64) COMMENT 'Cumulative downloads at which RAM is 1.0; null with fewer than 10 peers',
    as_of Nullable(DateTime64(3, 'UTC')) COMMENT 'Latest moment among the points it rests on, UTC'
)
AS SELECT baseline, size_bin, age_days, peers, downloads, as_of
FROM baselines_log FINAL
WHERE peers > 0
COMMENT 'Baselines of the Relative Adoption Metric; never compare scores of different ones';

CREATE VIEW points
(
    size_bin LowCardinality(String) COMMENT 'Size bin of the model',
    age_days UInt16 COMMENT 'Whole days since 00:00 UTC of the release date',
    model_id String COMMENT 'Model id as its hub spells it',
    cumulative UInt64 COMMENT 'Clean cumulative downloads at that age',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment of that age, UTC'
)
AS SELECT size_bin, age_days, model_id, assumeNotNull(cumulative) AS cumulative, as_of
FROM points_log FINAL
WHERE points_log.cumulative IS NOT NULL
COMMENT 'Cumulative downloads at whole-day ages';

CREATE VIEW ram
(
    baseline LowCardinality(String) COMMENT 'Baseline of the score; never compare scores of different ones',
    model_id String COMMENT 'Model id as its hub spells it',
    size_bin LowCardinality(String) COMMENT 'Size bin of the model',
    age_days UInt16 COMMENT 'Whole days since 00:00 UTC of the release date',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment of that age, UTC',
    cumulative UInt64 COMMENT 'Clean cumulative downloads at that age',
    baseline_downloads Nullable(Float64) COMMENT 'Downloads at which RAM is 1.0 at that age; null with fewer than 10 peers',
    peers UInt8 COMMENT 'Models the baseline rests on at that age',
    ram Nullable(Float64) COMMENT 'Relative Adoption Metric: cumulative / baseline_downloads; null with fewer than 10 peers'
)
AS SELECT
    b.baseline AS baseline, p.model_id AS model_id, p.size_bin AS size_bin, p.age_days AS age_days,
    p.as_of AS as_of, p.cumulative AS cumulative, b.downloads AS baseline_downloads, b.peers AS peers,
    p.cumulative / nullIf(b.downloads, 0) AS ram
FROM points AS p
INNER JOIN baselines AS b ON b.size_bin = p.size_bin AND b.age_days = p.age_days
COMMENT 'Relative Adoption Metric at whole-day ages';

CREATE VIEW ram_milestones
(
    baseline LowCardinality(String) COMMENT 'Baseline of the score',
    model_id String COMMENT 'Model id as its hub spells it',
    org LowCardinality(String) COMMENT 'Publishing organisation',
    region LowCardinality(Nullable(String)) COMMENT 'us, china, eu, other, unknown; null = not reviewed',
    size_bin LowCardinality(String) COMMENT 'Size bin of the model',
    total_params_b Nullable(Float64) COMMENT 'Total parameters, decimal billions',
    released_at Nullable(Date) COMMENT 'Day 0 of the age, 00:00 UTC',
    tracked Bool COMMENT 'Whether it counts among the peers',
    age_days UInt16 COMMENT 'Milestone: 7, 14, 30, 60, 90, 180 or 365 days',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment of that age, UTC',
    cumulative UInt64 COMMENT 'Clean cumulative downloads at that age',
    baseline_downloads Nullable(Float64) COMMENT 'Downloads at which RAM is 1.0; null with fewer than 10 peers',
    peers UInt8 COMMENT 'Models the baseline rests on',
    ram Nullable(Float64) COMMENT 'Relative Adoption Metric; null with fewer than 10 peers'
)
AS SELECT
    r.baseline AS baseline, r.model_id AS model_id, m.org AS org, m.region AS region,
    r.size_bin AS size_bin, m.total_params_b AS total_params_b, m.released_at AS released_at,
    m.tracked AS tracked, r.age_days AS age_days, r.as_of AS as_of, r.cumulative AS cumulative,
    r.baseline_downloads AS baseline_downloads, r.peers AS peers, r.ram AS ram
FROM ram AS r
INNER JOIN models AS m ON m.model_id = r.model_id
WHERE r.age_days IN (7, 14, 30, 60, 90, 180, 365)
COMMENT 'Relative Adoption Metric at the milestones';

CREATE VIEW ram_now
(
    baseline LowCardinality(String) COMMENT 'Baseline of the score',
    model_id String COMMENT 'Model id as its hub spells it',
    org LowCardinality(String) COMMENT 'Publishing organisation',
    region LowCardinality(Nullable(String)) COMMENT 'us, china, eu, other, unknown; null = not reviewed',
    size_bin LowCardinality(String) COMMENT 'Size bin of the model',
    total_params_b Nullable(Float64) COMMENT 'Total parameters, decimal billions',
    released_at Nullable(Date) COMMENT 'Day 0 of the age, 00:00 UTC',
    tracked Bool COMMENT 'Whether it counts among the peers',
    age_days Float64 COMMENT 'Exact age at the latest observation, days',
    as_of DateTime64(3, 'UTC') COMMENT 'Latest observation, UTC',
    cumulative UInt64 COMMENT 'Clean cumulative downloads then',
    baseline_downloads Nullable(Float64) COMMENT 'Downloads at which RAM is 1.0 at that age, interpolated between whole days',
    peers UInt8 COMMENT 'Models the baseline rests on',
    ram Nullable(Float64) COMMENT 'Rolling Relative Adoption Metric; null with fewer than 10 peers'
)
AS
WITH current AS
(
    SELECT
        size_bin, model_id, assumeNotNull(released_at) AS released_on, tracked,
        assumeNotNull(observed_at) AS at, assumeNotNull(cumulative) AS total,
        (toUnixTimestamp64Milli(at) - toUnixTimestamp64Milli(toDateTime64(released_on, 3, 'UTC'))) / 86400000 AS exact_age,
        toInt32(floor(exact_age)) AS whole_age
    FROM latest_log FINAL
    WHERE released_at IS NOT NULL AND observed_at IS NOT NULL AND cumulative IS NOT NULL
),
curve AS
(
    SELECT
        l.baseline AS baseline, l.size_bin AS size_bin, l.age_days AS age_days, l.downloads AS low,
        if(h.peers = 0, NULL, h.downloads) AS high, l.peers AS low_peers, h.peers AS high_peers
    FROM baselines AS l
    LEFT JOIN baselines AS h
        ON h.baseline = l.baseline AND h.size_bin = l.size_bin AND h.age_days = l.age_days + 1
)
SELECT
    b.baseline AS baseline, c.model_id AS model_id, m.org AS org, m.region AS region,
    c.size_bin AS size_bin, m.total_params_b AS total_params_b, c.released_on AS released_at,
    c.tracked AS tracked, c.exact_age AS age_days, c.at AS as_of, c.total AS cumulative,
    if(c.exact_age = c.whole_age, b.low, b.low + (b.high - b.low) * (c.exact_age - c.whole_age)) AS baseline_downloads,
    if(c.exact_age = c.whole_age, b.low_peers, least(b.low_peers, b.high_peers)) AS peers,
    c.total / nullIf(baseline_downloads, 0) AS ram
FROM current AS c
INNER JOIN models AS m ON m.model_id = c.model_id
INNER JOIN curve AS b ON b.size_bin = c.size_bin AND b.age_days = c.whole_age
WHERE c.exact_age >= 0 AND c.exact_age <= 365
COMMENT 'Rolling Relative Adoption Metric of every scored model up to a year old';

CREATE VIEW breakouts
(
    baseline LowCardinality(String) COMMENT 'Baseline that was passed',
    model_id String COMMENT 'Model id as its hub spells it',
    crossed_at DateTime64(3, 'UTC') COMMENT 'Moment of the whole-day age at which RAM reached 1.0, UTC',
    age_days UInt16 COMMENT 'That age',
    ram Float64 COMMENT 'RAM at that age',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First age after it with RAM below 0.9, UTC; null = still a breakout'
)
AS SELECT baseline, model_id, crossed_at, age_days, ram, ended_at
FROM breakouts_log FINAL
WHERE NOT retracted
COMMENT 'First crossings of 1.0x by models 7 to 90 days old';

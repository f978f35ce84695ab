-- Downloads over time of each model, organisation, region, size bin or family, as of a timestamp. `repaired` spreads
-- catch-ups after stalls and gaps as downloads_daily does; `raw` counts them on the day they were observed.
WITH
wanted AS
(
    SELECT
        model_id,
        multiIf(
            {by:String} = 'model', [model_id],
            {by:String} = 'org', [toString(org)],
            {by:String} = 'region', [ifNull(toString(region), 'unreviewed')],
            {by:String} = 'size_bin', [ifNull(toString(size_bin), 'unknown')],
            if(empty(l.roots), [model_id], l.roots)
        ) AS groups
    FROM models AS m
    LEFT JOIN (SELECT model_id, roots FROM lineage_log FINAL WHERE source = 'huggingface') AS l ON l.model_id = m.model_id
    WHERE (empty({model:Array(String)}) OR model_id IN {model:Array(String)})
        AND (empty({org:Array(String)}) OR m.org IN {org:Array(String)})
        AND (empty({region:Array(String)}) OR ifNull(toString(m.region), 'unreviewed') IN {region:Array(String)})
        AND (empty({size_bin:Array(String)}) OR ifNull(toString(m.size_bin), 'unknown') IN {size_bin:Array(String)})
        AND (empty({family:Array(String)}) OR model_id IN {family:Array(String)} OR hasAny(l.roots, {family:Array(String)}))
        AND ({untracked:Bool} OR tracked OR model_id IN {model:Array(String)})
),
closings AS
(
    SELECT model_id, day, cumulative AS closing, standing, observed_at
    FROM closings_log FINAL
    WHERE source = {source:String} AND model_id IN (SELECT model_id FROM wanted)
    -- past:
        AND day < toDate({as_of:DateTime64(3, 'UTC')})
    UNION ALL
    -- The day of that timestamp ends with the last observation before it.
    SELECT
        model_id, toDate(o.observed_at) AS day, argMax(assumeNotNull(o.cumulative), o.observed_at) AS closing,
        argMax(ifNull(o.standing, false), o.observed_at) AS standing, max(o.observed_at) AS observed_at
    FROM downloads_log AS o FINAL
    WHERE source = {source:String} AND o.cumulative IS NOT NULL
        AND o.observed_at >= toStartOfDay({as_of:DateTime64(3, 'UTC')}) AND o.observed_at <= {as_of:DateTime64(3, 'UTC')}
        AND model_id IN (SELECT model_id FROM wanted)
    GROUP BY model_id, day
    -- :past
),
usable AS
(
    SELECT
        model_id, day, closing,
        lagInFrame(toNullable(day)) OVER before AS day_before,
        lagInFrame(toNullable(closing)) OVER before AS closing_before
    FROM closings
    WHERE {series:String} = 'raw' OR NOT
    (
        standing
        AND observed_at IN (SELECT observed_at FROM scrapes WHERE stalled AND source = {source:String})
    )
    WINDOW before AS (PARTITION BY model_id ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
),
daily AS
(
    SELECT
        model_id, day - days + step AS day,
        -- floor(grown * step / days), split so that no product exceeds 64 bits.
        if(
            day_before IS NULL,
            NULL,
            toUInt64(intDiv(grown, days) + intDiv(grown % days * step, days) - intDiv(grown % days * (step - 1), days))
        ) AS downloads,
        from_closing + intDiv(grown, days) * step + intDiv(grown % days * step, days) AS cumulative
    FROM
    (
        SELECT
            model_id, usable.day AS day, day_before,
            toUInt64(if({series:String} = 'raw', 1, ifNull(usable.day - day_before, 1))) AS days,
            ifNull(closing_before, closing) AS from_closing,
            toUInt64(closing - from_closing) AS grown,
            arrayJoin(range(1, days + 1)) AS step
        FROM usable
    )
),
periods AS
(
    SELECT
        group,
        multiIf(
            {interval:String} = 'week', toStartOfWeek(d.day, 1), {interval:String} = 'month', toStartOfMonth(d.day), d.day
        ) AS period,
        sum(d.downloads) AS new, sum(ifNull(d.downloads, d.cumulative)) AS added, uniqExact(model_id) AS counted
    FROM daily AS d
    INNER JOIN (SELECT model_id, arrayJoin(groups) AS group FROM wanted) AS w ON w.model_id = d.model_id
    GROUP BY group, period
)
SELECT group, period, downloads, cumulative, models
FROM
(
    SELECT
        group, period, new AS downloads,
        -- A model that is no longer observed keeps its last count.
        sum(added) OVER (PARTITION BY group ORDER BY period) AS cumulative,
        counted AS models
    FROM periods
)
WHERE ({since:Nullable(Date)} IS NULL OR period >= {since:Nullable(Date)})
    AND ({until:Nullable(Date)} IS NULL OR period <= {until:Nullable(Date)})

-- Downloads over time of each model, organisation, region, size bin or family, as of a timestamp. `repaired` is the daily
-- grid; `raw` has the last counter of each day as it was observed.
WITH
(
    SELECT toDate(maxOrNull(observed_at)) - 5 FROM scrapes_log
    WHERE source = {source:String} AND observed_at <= {as_of:DateTime64(3, 'UTC')}
) AS week_end,
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
    LEFT JOIN
    (
        SELECT model_id, roots FROM lineage_log FINAL
        WHERE source = 'huggingface' AND ({by:String} = 'family' OR notEmpty({family:Array(String)}))
    ) AS l ON l.model_id = m.model_id
    WHERE (empty({model:Array(String)}) OR model_id IN {model:Array(String)})
        AND (empty({org:Array(String)}) OR m.org IN {org:Array(String)})
        AND (empty({region:Array(String)}) OR ifNull(toString(m.region), 'unreviewed') IN {region:Array(String)})
        AND (empty({size_bin:Array(String)}) OR ifNull(toString(m.size_bin), 'unknown') IN {size_bin:Array(String)})
        AND (empty({family:Array(String)}) OR model_id IN {family:Array(String)} OR hasAny(l.roots, {family:Array(String)}))
        AND ({untracked:Bool} OR tracked OR model_id IN {model:Array(String)})
),
days AS
(
    -- repaired:
    SELECT model_id, day, downloads, cumulative, correction, toNullable(toString(basis)) AS basis
    -- past:
    FROM downloads_daily_by_source_as_of(moment = {as_of:DateTime64(3, 'UTC')})
    -- :past
    -- now:
    FROM downloads_daily_by_source
    -- :now
    WHERE source = {source:String} AND model_id IN (SELECT model_id FROM wanted)
    -- :repaired
    -- raw:
    SELECT
        model_id, day, closing AS cumulative,
        if(before IS NULL, NULL, toUInt64(greatest(toInt64(closing) - before, 0))) AS downloads,
        if(before IS NULL, 0, toUInt64(greatest(before - toInt64(closing), 0))) AS correction,
        CAST(NULL AS Nullable(String)) AS basis
    FROM
    (
        SELECT model_id, day, closing, lagInFrame(toNullable(toInt64(closing))) OVER earlier AS before
        FROM
        (
            SELECT model_id, toDate(observed_at) AS day, assumeNotNull(argMax(downloads_all_time, observed_at)) AS closing
            FROM downloads_log FINAL
            WHERE source = {source:String} AND downloads_all_time IS NOT NULL
                AND observed_at <= {as_of:DateTime64(3, 'UTC')} AND model_id IN (SELECT model_id FROM wanted)
            GROUP BY model_id, day
        )
        WINDOW earlier AS (PARTITION BY model_id ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
    -- :raw
),
periods AS
(
    SELECT
        group, period, sum(d.new) AS new, sum(d.fallen) AS fallen, sum(d.added) AS added, count() AS counted,
        anyIf(d.basis, {by:String} = 'model' AND {interval:String} = 'day') AS basis,
        multiIf(
            {interval:String} = 'week', period + 6, {interval:String} = 'month', toLastDayOfMonth(period), period
        ) AS last_day
    FROM
    (
        SELECT
            model_id,
            multiIf(
                {interval:String} = 'week', toStartOfWeek(day, 1), {interval:String} = 'month', toStartOfMonth(day), day
            ) AS period,
            sum(downloads) AS new, sum(correction) AS fallen, any(basis) AS basis,
            sum(if(downloads IS NULL, toInt64(cumulative), toInt64(downloads) - toInt64(correction))) AS added
        FROM days
        GROUP BY model_id, period
    ) AS d
    INNER JOIN (SELECT model_id, arrayJoin(groups) AS group FROM wanted) AS w ON w.model_id = d.model_id
    GROUP BY group, period
),
-- How far the days of a group's models reach, and the downloads of those models in the last full week: see `live_edge`.
edges AS
(
    SELECT group, sumMap([reached], [week]) AS edge
    FROM
    (
        SELECT model_id, max(day) AS reached, sumIf(ifNull(downloads, 0), day <= week_end) AS week
        FROM days
        WHERE day > week_end - 7
        GROUP BY model_id
    ) AS d
    INNER JOIN (SELECT model_id, arrayJoin(groups) AS group FROM wanted) AS w ON w.model_id = d.model_id
    GROUP BY group
)
SELECT group, period, downloads, cumulative, correction, models, covered, basis
FROM
(
    SELECT
        p.group AS group, p.period AS period, p.new AS downloads,
        -- A model that is no longer observed keeps its last count.
        toUInt64(sum(p.added) OVER (PARTITION BY p.group ORDER BY p.period)) AS cumulative,
        p.fallen AS correction, p.counted AS models, p.basis AS basis,
        -- Nothing more is to come of a group whose models are all observed no more.
        ifNull(
            arraySum((day, week) -> if(day >= p.last_day, week, 0), e.edge.1, e.edge.2) / nullIf(arraySum(e.edge.2), 0),
            if(arrayMax(e.edge.1) >= p.last_day OR empty(e.edge.1), 1., 0.)
        ) AS covered
    FROM periods AS p
    LEFT JOIN edges AS e ON e.group = p.group
)
WHERE ({since:Nullable(Date)} IS NULL OR period >= {since:Nullable(Date)})
    AND ({until:Nullable(Date)} IS NULL OR period <= {until:Nullable(Date)})

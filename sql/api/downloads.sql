-- Downloads over time by one or two of model, organisation, region, size bin and family, as of a timestamp. `repaired` is
-- the daily grid; `raw` has the last counter of each day as it was observed. Ids are filtered inside each subquery, so
-- that of every table only the rows of the wanted models are read. A series of `models` is one model, one of `totals`
-- several; `lineage` is needed for families. `named` models are wanted, or all that match the filters (`every`).
WITH
(
    SELECT toDate(observed_at) - 5 FROM scrapes_log
    WHERE source = {source:String} AND observed_at <= {as_of:DateTime64(3, 'UTC')}
    ORDER BY source DESC, observed_at DESC
    LIMIT 1
) AS week_end,
(
    SELECT toDate(observed_at) FROM scrapes_log WHERE source = {source:String} ORDER BY source, observed_at LIMIT 1
) AS first_day,
wanted AS
(
    SELECT
        model_id, toString(m.org) AS of_org, ifNull(toString(m.region), 'unreviewed') AS of_region,
        ifNull(toString(m.size_bin), 'unknown') AS of_size_bin,
        -- lineage:
        if(empty(l.roots), [model_id], l.roots) AS roots,
        -- Of a merge the wanted families alone.
        arrayJoin(multiIf(
            NOT has({by:Array(String)}, 'family'), [''],
            hasAny(roots, {family:Array(String)}), arrayIntersect(roots, {family:Array(String)}),
            roots
        )) AS of_family,
        -- :lineage
        arrayStringConcat(arrayMap(
            dimension -> multiIf(
                dimension = 'model', model_id, dimension = 'org', of_org, dimension = 'region', of_region,
                -- lineage:
                dimension = 'family', of_family,
                -- :lineage
                of_size_bin
            ),
            {by:Array(String)}
        ), ' / ') AS group
    FROM
    (
        SELECT model_id, org, region, size_bin, tracked
        -- past:
        FROM models_history FINAL
        WHERE observed_at <= greatest(
            {as_of:DateTime64(3, 'UTC')}, (SELECT min(observed_at) FROM models_history WHERE tracked)
        )
            AND (empty({model:Array(String)}) OR model_id IN {model:Array(String)})
        ORDER BY model_id, observed_at DESC
        LIMIT 1 BY model_id
        -- :past
        -- now:
        FROM models_log FINAL
        WHERE empty({model:Array(String)}) OR model_id IN {model:Array(String)}
        -- :now
    ) AS m
    -- lineage:
    LEFT JOIN
    (
        SELECT model_id, roots FROM lineage_log FINAL
        WHERE source = 'huggingface' AND (empty({model:Array(String)}) OR model_id IN {model:Array(String)})
    ) AS l ON l.model_id = m.model_id
    -- :lineage
    WHERE (empty({org:Array(String)}) OR m.org IN {org:Array(String)})
        AND (empty({region:Array(String)}) OR of_region IN {region:Array(String)})
        AND (empty({size_bin:Array(String)}) OR of_size_bin IN {size_bin:Array(String)})
        -- lineage:
        AND (empty({family:Array(String)}) OR model_id IN {family:Array(String)} OR hasAny(roots, {family:Array(String)}))
        -- :lineage
        AND ({untracked:Bool} OR tracked OR model_id IN {model:Array(String)})
),
days AS
(
    -- repaired:
    SELECT model_id, day, downloads, cumulative, correction, toNullable(toString(basis)) AS basis
    FROM daily_log FINAL
    WHERE source = {source:String}
    -- named:
        AND model_id IN {model:Array(String)}
    -- :named
    -- every:
        AND model_id IN (SELECT model_id FROM wanted)
    -- :every
    -- past:
        AND known_at <= {as_of:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT model_id, day, downloads, cumulative, correction, toNullable(toString(basis)) AS basis
    FROM daily_superseded FINAL
    WHERE source = {source:String}
    -- named:
        AND model_id IN {model:Array(String)}
    -- :named
    -- every:
        AND model_id IN (SELECT model_id FROM wanted)
    -- :every
        AND known_at <= {as_of:DateTime64(3, 'UTC')} AND superseded_at > {as_of:DateTime64(3, 'UTC')}
    -- :past
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
                AND observed_at <= {as_of:DateTime64(3, 'UTC')}
            -- named:
                AND model_id IN {model:Array(String)}
            -- :named
            -- every:
                AND model_id IN (SELECT model_id FROM wanted)
            -- :every
            GROUP BY model_id, day
        )
        WINDOW earlier AS (PARTITION BY model_id ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
    -- :raw
),
periods AS
(
    SELECT
        w.group AS group,
        multiIf(
            {interval:String} = 'week', toStartOfWeek(d.day, 1), {interval:String} = 'month', toStartOfMonth(d.day), d.day
        ) AS period,
        any(w.model_id) AS of_model, any(of_org) AS org, any(of_region) AS region, any(of_size_bin) AS size_bin,
        -- lineage:
        any(of_family) AS family,
        -- :lineage
        -- models:
        max(d.day) AS reached,
        -- :models
        sum(d.downloads) AS new, sum(d.correction) AS fallen,
        sum(if(d.downloads IS NULL, toInt64(d.cumulative), toInt64(d.downloads) - toInt64(d.correction))) AS added,
        if({interval:String} = 'day', count(), uniqExactIf(d.model_id, {interval:String} != 'day')) AS counted,
        anyIf(d.basis, {by:Array(String)} = ['model'] AND {interval:String} = 'day') AS basis,
        multiIf(
            {interval:String} = 'week', period + 6, {interval:String} = 'month', toLastDayOfMonth(period), period
        ) AS last_day
    FROM days AS d
    INNER JOIN wanted AS w ON w.model_id = d.model_id
    GROUP BY group, period
)
-- totals:
,
-- How far the days of a group's models reach, and the downloads of those models in the last full week: see `live_edge`.
edges AS
(
    SELECT w.group AS group, sumMap([reached], [week]) AS edge
    FROM
    (
        SELECT model_id, max(day) AS reached, sumIf(ifNull(downloads, 0), day <= week_end) AS week
        FROM days
        WHERE day > week_end - 7
        GROUP BY model_id
    ) AS d
    INNER JOIN wanted AS w ON w.model_id = d.model_id
    GROUP BY group
)
-- :totals
SELECT
    group, if(has({by:Array(String)}, 'model'), of_model, NULL) AS model_id, if(has({by:Array(String)}, 'org'), org, NULL) AS org,
    if(has({by:Array(String)}, 'region'), region, NULL) AS region,
    if(has({by:Array(String)}, 'size_bin'), size_bin, NULL) AS size_bin,
    -- lineage:
    if(has({by:Array(String)}, 'family'), family, NULL) AS family,
    -- :lineage
    -- alone:
    CAST(NULL AS Nullable(String)) AS family,
    -- :alone
    period, downloads, cumulative, correction, models, covered,
    toBool(period > first_day AND covered >= 0.95 AND last_day < toDate({as_of:DateTime64(3, 'UTC')})) AS whole, basis
FROM
(
    SELECT
        p.*, p.new AS downloads,
        -- A model that is no longer observed keeps its last count.
        toUInt64(sum(p.added) OVER (PARTITION BY p.group ORDER BY p.period)) AS cumulative,
        p.fallen AS correction, p.counted AS models,
        -- models:
        -- Nothing more is to come of a model that is observed no more.
        if(last_reached > week_end - 7 AND last_reached < p.last_day, 0., 1.) AS covered,
        max(p.reached) OVER (PARTITION BY p.group) AS last_reached
        -- :models
        -- totals:
        -- Nothing more is to come of a group whose models are all observed no more.
        ifNull(
            arraySum((day, week) -> if(day >= p.last_day, week, 0), e.edge.1, e.edge.2) / nullIf(arraySum(e.edge.2), 0),
            if(arrayMax(e.edge.1) >= p.last_day OR empty(e.edge.1), 1., 0.)
        ) AS covered
        -- :totals
    FROM periods AS p
    -- totals:
    LEFT JOIN edges AS e ON e.group = p.group
    -- :totals
)
WHERE ({since:Nullable(Date)} IS NULL OR period >= {since:Nullable(Date)})
    AND ({until:Nullable(Date)} IS NULL OR period <= {until:Nullable(Date)})

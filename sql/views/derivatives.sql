CREATE OR REPLACE VIEW derivatives
(
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface',
    model_id String COMMENT 'Model id, as its hub spells it',
    org String COMMENT 'Publishing organisation or user',
    relation LowCardinality(String)
        COMMENT 'adapter, merge, quantized or finetune, according to the hub; unknown where it does not say',
    parents Array(String) COMMENT 'Models it derives from, according to the hub',
    ancestors Array(String) COMMENT 'All models it derives from, directly or indirectly: nearest first, then by id',
    depths Array(UInt16) COMMENT 'Number of generations to each ancestor',
    roots Array(String) COMMENT 'Roots of its lineage: ancestors that derive from no known model',
    bases Array(String)
        COMMENT 'Tracked models whose family it belongs to: tracked ancestors without those behind other tracked ones',
    base_orgs Array(String)
        COMMENT 'Organisations it is counted for: those of its tracked roots, else of its bases; each once',
    created_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Creation of the repository, UTC',
    downloads_all_time Nullable(UInt64) COMMENT 'Downloads since creation',
    downloads_30d Nullable(UInt64) COMMENT 'Downloads in the 30 days before; never cumulative',
    tracked Bool COMMENT 'Whether it is on the tracked list itself, and so not counted as a derivative',
    counted Bool COMMENT 'Whether it is not tracked, derives from a tracked model and has more than 5 downloads',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the observation, UTC'
)
AS WITH
(SELECT (arrayPushBack(groupArray(name), ''), arrayPushBack(groupArray(model_id), '')) FROM renamed_models) AS renamed,
(
    SELECT (arrayPushBack(groupArray(base), ''), arrayPushBack(groupArray(toUnixTimestamp64Milli(at)), toInt64(0)))
    FROM (SELECT base, max(observed_at) AS at FROM derivative_listings WHERE source = 'huggingface' GROUP BY base)
) AS listed,
lineage AS
(
    SELECT
        source, model_id, transform(model_id, renamed.1, renamed.2, model_id) AS counted_id, ancestors, depths, roots,
        arrayDistinct(arrayFilter(
            x -> x IN (SELECT model_id FROM models WHERE tracked),
            arrayMap(x -> transform(x, renamed.1, renamed.2, x), ancestors)
        )) AS tracked_ancestors,
        arrayDistinct(arrayFilter(
            x -> x IN (SELECT model_id FROM models WHERE tracked),
            arrayMap(x -> transform(x, renamed.1, renamed.2, x), roots)
        )) AS tracked_roots
    FROM lineage_log FINAL
),
-- Tracked models that a model derives from only through another tracked one.
further AS
(
    SELECT l.source AS source, l.model_id AS model_id, groupUniqArrayArray(t.tracked_ancestors) AS covered
    FROM
    (
        SELECT source, model_id, arrayJoin(tracked_ancestors) AS base FROM lineage WHERE length(tracked_ancestors) > 1
    ) AS l
    INNER JOIN (SELECT * FROM lineage WHERE notEmpty(tracked_ancestors)) AS t
        ON t.source = l.source AND t.counted_id = l.base
    GROUP BY source, model_id
)
SELECT
    d.source AS source, d.model_id AS model_id, splitByChar('/', d.model_id)[1] AS org,
    ifNull(toString(d.relation), 'unknown') AS relation, d.parents AS parents,
    l.ancestors AS ancestors, l.depths AS depths, l.roots AS roots,
    -- In a cycle of tracked models each one covers the others: then all of them count.
    if(hasAll(f.covered, l.tracked_ancestors), l.tracked_ancestors,
        arrayFilter(x -> NOT has(f.covered, x), l.tracked_ancestors)) AS bases,
    arraySort(arrayDistinct(arrayMap(
        x -> splitByChar('/', x)[1], if(empty(l.tracked_roots), bases, l.tracked_roots)
    ))) AS base_orgs,
    d.created_at AS created_at, d.downloads_all_time AS downloads_all_time, d.downloads_30d AS downloads_30d,
    transform(d.model_id, renamed.1, renamed.2, d.model_id) IN (SELECT model_id FROM models WHERE tracked) AS tracked,
    NOT tracked AND notEmpty(bases) AND ifNull(d.downloads_all_time, 0) > 5 AS counted,
    d.observed_at AS observed_at
FROM
(
    SELECT *
    FROM derivatives_log FINAL
    WHERE NOT arrayExists(
        x -> transform(x, listed.1, listed.2, toInt64(0)) > toUnixTimestamp64Milli(observed_at), parents
    )
) AS d
LEFT JOIN lineage AS l ON l.source = d.source AND l.model_id = d.model_id
LEFT JOIN further AS f ON f.source = d.source AND f.model_id = d.model_id
COMMENT 'Models that derive from others, with their lineage: one row per source and model that is still listed';

CREATE OR REPLACE VIEW derivatives_monthly
(
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface',
    month Date COMMENT 'First day of the UTC month in which they were created',
    base_org String COMMENT 'Organisation they derive from; one that derives from several counts for each',
    region LowCardinality(Nullable(String))
        COMMENT 'Headquarters of that organisation: us, china, eu, other, unknown; null = not reviewed',
    relation LowCardinality(String) COMMENT 'adapter, merge, quantized, finetune or unknown',
    new UInt64 COMMENT 'Derivatives with more than 5 downloads that were created in the month',
    cumulative UInt64 COMMENT 'Derivatives created until the end of the month'
)
AS SELECT
    source, addMonths(first_month, step) AS month, base_org, o.region AS region, relation,
    counts[step + 1] AS new, arraySum(arraySlice(counts, 1, step + 1)) AS cumulative
FROM
(
    SELECT
        source, base_org, relation, first_month,
        arrayMap(i -> countEqual(groupArray(dateDiff('month', first_month, born)), i),
            range(toUInt32(dateDiff('month', first_month, last_month) + 1))) AS counts
    FROM
    (
        SELECT
            source, relation, base_org, born, min(born) OVER () AS first_month, max(born) OVER () AS last_month
        FROM
        (
            SELECT source, relation, toStartOfMonth(assumeNotNull(created_at)) AS born, arrayJoin(base_orgs) AS base_org
            FROM derivatives
            WHERE counted AND created_at IS NOT NULL
        )
    )
    GROUP BY source, base_org, relation, first_month, last_month
) AS g
ARRAY JOIN range(length(counts)) AS step
LEFT JOIN organisations AS o ON o.org = base_org
COMMENT 'New derivatives: one row per source, month, organisation they derive from, and relation';

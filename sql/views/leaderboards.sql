CREATE OR REPLACE VIEW scores
(
    source LowCardinality(String) COMMENT 'Source of the rating: arena, artificial-analysis',
    board LowCardinality(String) COMMENT 'Leaderboard of the source: text, intelligence_index',
    index_version LowCardinality(String)
        COMMENT 'Version of the rating''s method: ratings of different ones are never compared',
    published_on Date COMMENT 'UTC day of publication',
    name String COMMENT 'The name as the source spells it',
    rating Float64 COMMENT 'Rating',
    lower Nullable(Float64) COMMENT 'Lower end of its 95% interval',
    upper Nullable(Float64) COMMENT 'Upper end of its 95% interval',
    votes Nullable(UInt64) COMMENT 'Number of votes behind it',
    open Nullable(Bool) COMMENT 'Whether its weights can be downloaded; null = nobody has classified it',
    model_id Nullable(String) COMMENT 'Its weights on the Hub',
    org Nullable(String) COMMENT 'Organisation of the Hub',
    region LowCardinality(Nullable(String)) COMMENT 'us, china, eu, other, unknown; null = not reviewed',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment at which it was read, UTC'
)
AS SELECT
    s.source AS source, s.board AS board, s.index_version AS index_version, s.published_on AS published_on,
    s.name AS name, s.rating AS rating, s.lower AS lower, s.upper AS upper, s.votes AS votes,
    if(n.name = '', NULL, n.open) AS open, if(n.name = '', NULL, n.model_id) AS model_id,
    if(n.name = '', NULL, n.org) AS org, if(n.name = '', NULL, n.region) AS region, s.observed_at AS observed_at
FROM
(
    SELECT *
    FROM ratings_log FINAL
    WHERE (source, board, index_version, published_on, version) IN
    (
        SELECT source, board, index_version, published_on, max(version)
        FROM ratings_log
        GROUP BY source, board, index_version, published_on
    )
) AS s
LEFT JOIN names AS n ON n.source = s.source AND n.name = s.name
COMMENT 'Ratings as last published, with the model of each name: one row per source, leaderboard, version, day and name';

CREATE OR REPLACE VIEW best_scores
(
    source LowCardinality(String) COMMENT 'Source of the rating: arena, artificial-analysis',
    board LowCardinality(String) COMMENT 'Leaderboard of the source: text, intelligence_index',
    index_version LowCardinality(String)
        COMMENT 'Version of the rating''s method: ratings of different ones are never compared',
    published_on Date COMMENT 'UTC day of publication',
    region LowCardinality(String) COMMENT 'us, china, eu, other, unknown',
    name String COMMENT 'Best open model of the region; among equal ratings the first by name',
    model_id Nullable(String) COMMENT 'Its weights on the Hub',
    org Nullable(String) COMMENT 'Organisation of the Hub',
    rating Float64 COMMENT 'Rating',
    lower Nullable(Float64) COMMENT 'Lower end of its 95% interval',
    upper Nullable(Float64) COMMENT 'Upper end of its 95% interval'
)
AS SELECT
    source, board, index_version, published_on, ifNull(toString(scores.region), '') AS region, name, model_id, org,
    rating, lower, upper
FROM scores
WHERE ifNull(open, false) AND scores.region IS NOT NULL
ORDER BY source, board, index_version, published_on, region, rating DESC, name
LIMIT 1 BY source, board, index_version, published_on, region
COMMENT 'Best open model of each region: one row per source, leaderboard, version, day and region';

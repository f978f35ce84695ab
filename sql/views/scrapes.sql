CREATE OR REPLACE VIEW scrapes
(
    source LowCardinality(String) COMMENT 'Source of the counters',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the scrape, UTC',
    models UInt64 COMMENT 'Number of observations of the scrape',
    compared UInt64 COMMENT 'Number of those with an earlier observation',
    standing UInt64 COMMENT 'Number of those whose raw counter is unchanged',
    complete Bool COMMENT 'Whether no wanted model is missing',
    stalled Bool
        COMMENT 'Whether at least 3/4 of the counters were unchanged in it and in every scrape of the 23.5 hours before'
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
COMMENT 'Scrapes, and whether nearly all counters were unchanged: one row per source and scrape';

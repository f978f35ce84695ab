CREATE OR REPLACE VIEW scrapes
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

CREATE OR REPLACE VIEW watched_breakouts
(
    model String COMMENT 'Model id, as its hub spells it',
    org String COMMENT 'Publishing organisation: the part of the id before the slash',
    message String
        COMMENT 'Group of the alert: the model; for breakouts found more than 7 days late, the day they were found',
    ongoing Float64 COMMENT '1 = the breakout is ongoing, 0 = it ended, -1 = it was confirmed more than 100 days ago',
    ram Nullable(Float64) COMMENT 'RAM at the last knot; null = no RAM',
    age Nullable(Float64) COMMENT 'Whole days since release at that moment; null = no RAM',
    crossed Float64 COMMENT 'RAM at the crossing',
    crossed_on Float64 COMMENT 'Moment of the crossing, Unix time'
)
AS SELECT
    b.model_id AS model, splitByChar('/', b.model_id)[1] AS org,
    if(
        f.found_at > f.confirmed_at + INTERVAL 7 DAY,
        concat('crossings found on ', toString(toDate(assumeNotNull(f.found_at)))),
        b.model_id
    ) AS message,
    multiIf(b.ended_at IS NOT NULL, 0., b.confirmed_at > now() - INTERVAL 100 DAY, 1., -1.) AS ongoing,
    n.ram AS ram, n.age AS age, b.ram AS crossed, toFloat64(toUnixTimestamp(b.crossed_at)) AS crossed_on
FROM breakouts AS b
LEFT JOIN
(
    SELECT model_id, toNullable(min(found).1) AS found_at, toNullable(min(found).2) AS confirmed_at
    FROM breakouts_found WHERE baseline = 'live' GROUP BY model_id
) AS f ON f.model_id = b.model_id
LEFT JOIN
(
    SELECT model_id, ram, toNullable(floor(age_days)) AS age FROM ram_now WHERE baseline = 'live' AND ram IS NOT NULL
) AS n ON n.model_id = b.model_id
-- One week longer than alerts watch them, so that a row with the reason resolves the alert.
WHERE b.baseline = 'live' AND b.confirmed_at > now() - INTERVAL 107 DAY
ORDER BY model
COMMENT 'Confirmed breakouts of the baseline live that alerts watch, up to 107 days after that: one row per model';

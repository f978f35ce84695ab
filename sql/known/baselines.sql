-- All baselines, frozen ones too.
SELECT name
FROM
(
    SELECT arrayJoin(['live', 'live_fixed', 'live_cutoff']) AS name
    UNION DISTINCT
    SELECT baseline FROM frozen_baselines
    UNION DISTINCT
    SELECT toString(baseline) FROM baselines_log GROUP BY baseline
)
ORDER BY name

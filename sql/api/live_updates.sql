-- The state that live updates report, in one row, from small tables: polled every two seconds while there are subscribers.
SELECT
    (SELECT maxOrNull(observed_at) FROM scrapes_log) AS as_of,
    (SELECT sum(latest) FROM (SELECT max(version) AS latest FROM latest_log GROUP BY size_bin)) AS scores,
    (SELECT count() FROM breakouts WHERE baseline = 'live') AS breakouts,
    (SELECT maxOrNull(t.as_of) FROM inference_log AS t) AS inference,
    (SELECT uniqExact(topic, partition, offset) FROM dead_letters WHERE failed_at > now() - INTERVAL 1 DAY) AS dead_letters,
    (SELECT minOrNull(what) FROM simulated) AS simulated,
    (
        SELECT groupArray(CAST((component, state, at, running), 'Tuple(part String, state String, at DateTime64(3, \'UTC\'), running UInt64)'))
        FROM
        (
            SELECT
                component, argMax(h.state, h.at) AS state, max(h.at) AS at,
                countIf(h.state != 'stopped' AND h.at > now64(3) - toIntervalSecond(toUInt32(3 * interval_seconds))) AS running
            FROM heartbeats AS h FINAL
            GROUP BY component
            ORDER BY component
        )
    ) AS parts

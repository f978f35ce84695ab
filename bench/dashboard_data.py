"""Two thousand models observed hourly for over a year, written straight into the tables."""

from collections.abc import Iterator
from datetime import datetime

_MODEL = "concat('org-', toString(m % 60), '/model-', toString(m))"
_BIN = "['<1B', '1-5B', '7-9B', '10-50B', '50-100B', '100-250B', '250B+'][m % 7 + 1]"
_DAY_OF_RELEASE = "toDate({end}) - (10 + m * 37 % 700)"


def statements(end: datetime, *, models: int, hours: int) -> Iterator[str]:
    """Yield the INSERTs that fill every table a dashboard reads, up to a time (UTC).

    Counters are renewed daily at 06:00; the Hub renews none for three days in a hundred; the counter
    of one model in fifty falls once a month. `models` x `hours` observations.
    """
    now = f"toDateTime64('{end:%Y-%m-%d %H}:00:00', 3, 'UTC')"
    released = _DAY_OF_RELEASE.format(end=now)
    yield f"""
INSERT INTO models_log (model_id, org, region, total_params_b, size_bin, released_at, created_at, license,
    pipeline_tag, base_models, tracked, observed_at)
SELECT {_MODEL}, concat('org-', toString(m % 60)), ['us', 'china', 'eu', 'other'][m % 60 % 4 + 1], m % 300,
    {_BIN}, {released}, toDateTime64({released}, 3, 'UTC'), 'apache-2.0', 'text-generation', [], true, {now}
FROM (SELECT number AS m FROM numbers({models}))"""
    begin = f"toDate({now} - toIntervalHour({hours}))"
    fallen = "m % 50 = 0"
    # The counter after its renewal at 06:00 of day `d`. A fall is of 20 days' growth: it stays.
    counter = f"(d -> toUInt64(growth * (30 + d - if({fallen}, 21 * intDiv(d + 15, 30), 0))))"
    step = 500
    for first in range(0, hours, step):
        yield f"""
INSERT INTO downloads_log (model_id, observed_at, source, origin, downloads_all_time, downloads_30d, likes, state,
    correction, version)
WITH {counter} AS counter
SELECT {_MODEL}, at, 'huggingface', 'live', arrayMap(counter, [renewed])[1], growth * 30, m,
    multiIf(
        h = 0, 'first', toHour(at) != 6 OR renewed < today, if(at < at_renewal + toIntervalHour(24), 'between', 'held'),
        {fallen} AND renewed % 30 = 15, 'correction', 'rise'
    ),
    if(toHour(at) = 6 AND renewed = today AND {fallen} AND renewed % 30 = 15 AND h > 0, 20 * growth, NULL), h + 1
FROM
(
    SELECT
        number % {models} AS m, {first} + intDiv(number, {models}) AS h, 100 + 7919 * m % 20011 AS growth,
        {now} - toIntervalHour({hours} - h) AS at, toInt64(toDate(at - toIntervalHour(6)) - {begin} + 1) AS today,
        -- No renewal on days 97, 98 and 99 of a hundred.
        today - greatest(today % 100 - 96, 0) AS renewed,
        toDateTime64({begin} + renewed - 1, 3, 'UTC') + toIntervalHour(6) AS at_renewal
    FROM numbers({models * min(step, hours - first)})
)"""
    yield f"""
INSERT INTO daily_log (model_id, source, day, cumulative, downloads, correction, basis, known_at, withdrawn, version)
WITH
    {counter} AS counter,
    -- At the end of a day three quarters of the way to the next renewal have passed.
    (d -> if({fallen} AND (d + 1) % 30 = 15, counter(d), toUInt64(counter(d) + intDiv(3 * growth, 4)))) AS at_end
SELECT {_MODEL}, 'huggingface', {begin} + d - 1, at_end(d),
    if(d = 1, NULL, toUInt64(toInt64(at_end(d)) - toInt64(at_end(d - 1)) + fell)), fell,
    if(d % 100 > 95, 'held', 'observed'), toDateTime64({begin} + d, 3, 'UTC') + toIntervalHour(6), 0, d + 1
FROM
(
    SELECT number % {models} AS m, toInt64(intDiv(number, {models})) + 1 AS d, 100 + 7919 * m % 20011 AS growth,
        if({fallen} AND d % 30 = 15, 20 * growth, 0) AS fell
    FROM numbers({models * (hours // 24)})
)"""
    yield f"""
INSERT INTO scrapes_log (source, observed_at, scrape_id, slice, models, complete)
SELECT 'huggingface', {now} - toIntervalHour({hours} - intDiv(number, 4)), toString(intDiv(number, 4)), number % 4,
    {models // 4}, true
FROM numbers({4 * hours})"""
    yield f"""
INSERT INTO points_log (size_bin, age_days, model_id, cumulative, as_of, version)
SELECT {_BIN}, age, {_MODEL}, (100 + 7919 * m % 20011) * (age + 1), toDateTime64({released} + age, 3, 'UTC'), 1
FROM (SELECT number AS m FROM numbers({models})) AS all_models
CROSS JOIN (SELECT number AS age FROM numbers(366)) AS ages
WHERE {released} + age <= toDate({now})"""
    yield f"""
INSERT INTO latest_log (size_bin, model_id, released_at, tracked, observed_at, cumulative, registry_changed_at, known, version)
SELECT {_BIN}, {_MODEL}, {released}, true, {now}, (100 + 7919 * m % 20011) * (10 + m * 37 % 700), {now}, 1, 1
FROM (SELECT number AS m FROM numbers({models}))"""
    yield f"""
INSERT INTO baselines_log (baseline, size_bin, age_days, peers, downloads, as_of, version)
SELECT baseline, size_bin, number, 10, 19500. * (number + 1), {now}, 1
FROM numbers(366)
ARRAY JOIN ['live', 'live_fixed', 'live_cutoff'] AS baseline
ARRAY JOIN ['<1B', '1-5B', '7-9B', '10-50B', '50-100B', '100-250B', '250B+'] AS size_bin"""
    yield f"""
INSERT INTO breakouts_log (baseline, size_bin, model_id, crossed_at, age_days, ram, ended_at, retracted, version)
SELECT 'live', {_BIN}, {_MODEL}, toDateTime64({released} + 9, 3, 'UTC'), 9, 1.02, NULL, false, 1
FROM (SELECT number AS m FROM numbers({models}))
WHERE 100 + 7919 * m % 20011 > 19500"""
    yield f"""
INSERT INTO names_log (source, name, open, model_id, observed_at, version)
SELECT source, concat('vendor-', toString(m % 9), '/name-', toString(m)), m % 3 > 0, if(m % 3 > 0, {_MODEL}, NULL), {now}, 1
FROM (SELECT number AS m FROM numbers(120)) ARRAY JOIN ['openrouter', 'arena', 'artificial-analysis'] AS source"""
    yield f"""
INSERT INTO inference_log (source, day, as_of, slug, tokens)
SELECT 'openrouter', toDate({now}) - 1 - intDiv(number, 51), {now},
    if(number % 51 = 50, 'other', concat('vendor-', toString(number % 51 % 9), '/name-', toString(number % 51))), 1000000000 + number
FROM numbers({51 * 400})"""
    yield f"""
INSERT INTO ratings_log (source, board, index_version, published_on, name, rating, lower, upper, votes, observed_at, version)
SELECT source, if(source = 'arena', 'text', 'intelligence_index'), if(source = 'arena', '', '4.1'),
    toDate({now}) - intDiv(number, 120), concat('vendor-', toString(number % 120 % 9), '/name-', toString(number % 120)),
    1200 + number % 120, 1190, 1330, 1000, {now}, 1
FROM numbers({120 * 365}) ARRAY JOIN ['arena', 'artificial-analysis'] AS source"""
    yield f"""
INSERT INTO derivatives_log (source, model_id, observed_at, parents, relation, created_at, downloads_all_time, downloads_30d, version)
SELECT 'huggingface', concat('user-', toString(number % 5000), '/derived-', toString(number)), {now}, [{_MODEL}],
    ['finetune', 'adapter', 'quantized', 'merge'][number % 4 + 1], {now} - toIntervalHour(number % {hours}), number % 900, number % 50, 1
FROM (SELECT number, number * 31 % {models} AS m FROM numbers(100000))"""
    yield f"""
INSERT INTO lineage_log (source, model_id, ancestors, depths, roots, version)
SELECT 'huggingface', concat('user-', toString(number % 5000), '/derived-', toString(number)), [{_MODEL}], [1], [{_MODEL}], 1
FROM (SELECT number, number * 31 % {models} AS m FROM numbers(100000))"""
    yield f"""
INSERT INTO scrape_missing (source, observed_at, model_id, reason)
SELECT 'huggingface', {now} - toIntervalHour(number), 'org-1/model-1', '404' FROM numbers(50)"""
    yield """
INSERT INTO heartbeats (component, instance, at, interval_seconds, state)
SELECT 'worker', concat('host:', toString(number)), now64(3), 10, 'running' FROM numbers(6)"""

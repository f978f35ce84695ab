"""Models that are not tracked, and their days: most of what an instance stores."""

from clickhouse_connect.driver.client import Client

from bench.workload import START

_ROWS = 4_000_000
"""Rows of an INSERT."""


def write_untracked(client: Client, models: int, days: int, *, first: int = 0) -> None:
    """Insert models, numbered from `first`, and `days` days of each before `START`."""
    client.command(f"""
INSERT INTO models_log (model_id, org, region, tracked, observed_at)
SELECT concat('other-', toString(m % 900), '/model-', toString(m)),
    concat('other-', toString(m % 900)), 'us', false, toDateTime64('{START:%F %T}', 3, 'UTC')
FROM (SELECT {first} + number AS m FROM numbers({models}))""")
    step = max(1, _ROWS // days)
    for begin in range(first, first + models, step):
        count = min(step, first + models - begin)
        client.command(f"""
INSERT INTO daily_log (model_id, source, day, cumulative, downloads, correction, basis, known_at,
    withdrawn, version)
SELECT concat('other-', toString(m % 900), '/model-', toString(m)), 'huggingface',
    toDate('{START:%F}') - {days} + d AS day, growth * (30 + d), if(d = 0, NULL, growth), 0,
    'observed', toDateTime64(day + 1, 3, 'UTC'), 0, d + 1
FROM
(
    SELECT {begin} + intDiv(number, {days}) AS m, number % {days} AS d,
        100 + 7919 * m % 20011 AS growth
    FROM numbers({count * days})
)""")

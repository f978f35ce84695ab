"""Counter health: how many busy models a hub does not renew, or rolls back."""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from breakout.clickhouse.client import reader_client, writer_client
from breakout.clickhouse.migrations import migrate
from breakout.contract.events import ModelRecord
from breakout.settings import Settings
from tests.breakout.cli.seed import insert
from tests.oracle.counter_health import counter_health_of
from tests.support.download_rows import Observed, download_rows

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WEDNESDAY, THURSDAY = date(2026, 3, 18), date(2026, 3, 19)
OLD, MIDDLE, YOUNG = (datetime(year, 6, 1, tzinfo=UTC) for year in (2021, 2024, 2026))
Counter = list[tuple[datetime, int]]
Key = tuple[date, str, str]
"""Day, source, age band."""


def renewed(
    rate: int,
    *,
    every: timedelta = 3 * HOUR,
    days: int = 21,
    skipped: frozenset[date] = frozenset(),
) -> Counter:
    """A counter that the hub renews at 14:00, but for days skipped, as scrapes observe it."""
    found = []
    at = MONDAY
    while at < MONDAY + days * DAY:
        renewals = [MONDAY + n * DAY + 14 * HOUR for n in range(days)]
        past = [n for n, one in enumerate(renewals) if one <= at and one.date() not in skipped]
        found.append((at, 10_000 + rate * (past[-1] + 1 if past else 0)))
        at += every
    return found


def fell(counter: Counter, since: datetime, until: datetime, by: int) -> Counter:
    return [(at, raw - by if since <= at < until else raw) for at, raw in counter]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    migrate(settings)
    return settings


def store(
    settings: Settings,
    counters: Mapping[str, Counter],
    created: Mapping[str, datetime | None],
    source: str = "huggingface",
) -> None:
    """Write observations with their states, and when the hub says models were created."""
    observed = [
        Observed(model_id, at, total, source)
        for model_id, counter in counters.items()
        for at, total in counter
    ]
    with closing(writer_client(settings)) as client:
        for table, rows in download_rows(observed).items():
            insert(client, table, *rows)
        client.insert(
            "models_log",
            [[model_id, "a", True, one, MONDAY] for model_id, one in created.items()],
            ["model_id", "org", "tracked", "created_at", "observed_at"],
        )


COUNTS = "(SELECT * EXCEPT held_hours FROM counter_health_since(since = '1970-01-15'))"


def health(settings: Settings, view: str = COUNTS) -> dict[Key, dict[str, Any]]:
    with closing(reader_client(settings)) as client:
        rows = list(client.query(f"SELECT * FROM {view}").named_results())
    found = {(row["day"], row["source"], row["age_band"]): row for row in rows}
    assert len(found) == len(rows)
    return found


def by_definition(
    counters: Mapping[str, Counter], created: Mapping[str, datetime | None]
) -> dict[Key, dict[str, Any]]:
    series = {
        (model_id, "huggingface"): [(int(at.timestamp() * 1000), raw) for at, raw in counter]
        for model_id, counter in counters.items()
    }
    newest = {
        model_id: ModelRecord(
            model_id=model_id,
            observed_at=MONDAY,
            org="a",
            region=None,
            total_params_b=None,
            size_bin=None,
            released_at=None,
            tracked=True,
            created_at=one,
        )
        for model_id, one in created.items()
    }
    return counter_health_of(series, newest)


def test_half_stall_is_seen_where_it_is(settings: Settings) -> None:
    skipped = frozenset({WEDNESDAY})
    counters = {
        **{f"a/old-{n}": renewed(100 + n) for n in range(4)},
        **{f"a/young-{n}": renewed(100 + n, skipped=skipped) for n in range(3)},
        "a/young-renewed": renewed(100),
        "a/young-idle": renewed(5, skipped=skipped),
    }
    created = {one: YOUNG if "young" in one else OLD for one in counters}
    store(settings, counters, created)
    found = health(settings)
    young = found[WEDNESDAY, "huggingface", "2025 and after"]
    assert (young["busy"], young["held"], young["fallen"], young["corrections"]) == (4, 3, 0, 0)
    old = found[WEDNESDAY, "huggingface", "before 2023"]
    assert (old["busy"], old["held"]) == (4, 0)
    shares = health(settings, "counter_health")
    assert shares[WEDNESDAY, "huggingface", "2025 and after"]["held"] == 0.75
    # They catch up on Thursday.
    assert found[THURSDAY, "huggingface", "2025 and after"]["held"] == 0
    # Observed changed on Tuesday at 15:00, and last on Wednesday at 21:00.
    lately = health(settings, "counter_health_since(since = '2026-03-18')")
    assert lately[WEDNESDAY, "huggingface", "2025 and after"]["held_hours"] == 30
    assert lately[THURSDAY, "huggingface", "2025 and after"]["held_hours"] is None


def test_rollback_and_correction_are_falls(settings: Settings) -> None:
    begun = datetime(2026, 3, 18, 9, tzinfo=UTC)
    counters = {
        "a/rolled-back": fell(renewed(100), begun, begun + DAY, 5000),
        "a/corrected": fell(renewed(100), begun, MONDAY + 100 * DAY, 5000),
        "a/idle": fell(renewed(0), begun, MONDAY + 100 * DAY, 30),
        "a/steady": renewed(100),
    }
    store(settings, counters, dict.fromkeys(counters, MIDDLE))
    found = health(settings)
    day = found[WEDNESDAY, "huggingface", "2023-2024"]
    assert (day["busy"], day["fallen"], day["corrections"]) == (3, 2, 5030)
    day = found[THURSDAY, "huggingface", "2023-2024"]
    assert (day["fallen"], day["corrections"]) == (1, 0)
    day = found[THURSDAY + DAY, "huggingface", "2023-2024"]
    assert (day["busy"], day["fallen"]) == (3, 0)


def test_sources_and_unknown_ages_are_apart(settings: Settings) -> None:
    store(settings, {"a/b": renewed(100)}, {"a/b": None})
    store(settings, {"a/b": renewed(100), "a/nobody": renewed(100)}, {}, "modelscope")
    found = health(settings)
    assert {(source, band) for _, source, band in found} == {
        ("huggingface", "unknown"), ("modelscope", "unknown"),
    }  # fmt: skip
    assert found[WEDNESDAY, "modelscope", "unknown"]["busy"] == 2


def test_without_observations_there_is_nothing(settings: Settings) -> None:
    assert health(settings) == {}


@pytest.mark.parametrize("seed", range(3))
def test_view_equals_its_definition(settings: Settings, seed: int) -> None:
    random = Random(seed)
    counters = {f"a/{n}": _wild(random, MONDAY + 60 * DAY, most_days=9) for n in range(12)}
    created = {one: random.choice([OLD, MIDDLE, YOUNG, None]) for one in counters}
    store(settings, counters, created)
    assert health(settings) == by_definition(counters, created)


def test_recent_days_are_the_same_without_all_history(settings: Settings) -> None:
    random = Random(4)
    counters = {f"a/{n}": _wild(random, MONDAY + 60 * DAY, most_days=1) for n in range(12)}
    created = dict.fromkeys(counters, OLD)
    store(settings, counters, created)
    since = date(2026, 4, 15)
    lately = health(settings, f"counter_health_since(since = '{since}')")
    for row in lately.values():
        del row["held_hours"]
    assert lately == {key: row for key, row in health(settings).items() if key[0] >= since}
    assert any(row["held"] for row in lately.values())


def _wild(random: Random, until: datetime, *, most_days: int) -> Counter:
    """A counter with pauses, falls, returns and missing days."""
    at, raw, found = MONDAY + random.randint(0, 20) * HOUR, 50_000, []
    while at < until:
        found.append((at, raw))
        match random.randint(0, 9):
            case 0 | 1:
                pass
            case 2:
                raw -= min(raw, random.choice([10, 500, 2000]))
            case 3:
                at += random.randint(1, most_days) * DAY
            case _:
                raw += random.choice([2, 20, 90])
        at += random.choice([5, 11, 24]) * HOUR
    return found

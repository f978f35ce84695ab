"""OpenRouter's tokens: its documented answers, and every way in which they can fail."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from breakout.contract.events import DeadLetter, InferenceDay, NameRecord
from breakout.contract.topics import DEAD_LETTERS, INFERENCE, NAMES
from breakout.registry.names import load_names
from breakout.settings import Settings, SettingsError
from breakout.simulation import SimulatedClock, invented_catalog
from breakout.simulation.openrouter import CLOSED, UNCLASSIFIED
from breakout.simulation.reviewed import names_csv
from collectors.http.client import RequestPolicy
from collectors.http.errors import EmptyResponseError, SourceError
from collectors.scheduling.outcome import Outcome
from collectors.sources.openrouter import OpenRouterJob
from tests.collectors.quick import HASTY, QUICK
from tests.collectors.records import PARTITIONS, read_events, read_records
from tests.collectors.scripted import Scripted, scripted
from tests.support.faulty_hub.faults import ErrorStatus, Stalled, TooManyRequests, Truncated
from tests.support.faulty_hub.hub import FaultyHub
from tests.support.server_process import Broker

NOW = datetime(2026, 5, 12, 2, 30, tzinfo=UTC)
DAY = "2026-05-11"
RANKINGS, CATALOGUE = "/datasets/rankings-daily", "/models"


def row(name: str, tokens: Any, day: str = DAY) -> dict[str, Any]:
    return {"date": day, "model_permaslug": name, "total_tokens": tokens}


PUBLISHED = [
    row("openai/gpt-4o-2024-05-13", "12345678"),
    row("anthropic/claude-3.5-sonnet-20241022", "9876543"),
    row("other", "4321098"),
]
"""The example of OpenRouter's own description."""


def answer(rows: list[Any], *, start: str = DAY, as_of: Any = "2026-05-12T02:00:00Z") -> Any:
    meta = {"as_of": as_of, "start_date": start, "end_date": DAY, "version": "v1"}
    return {"data": rows, "meta": meta}


MODELS = {
    "data": [
        {
            "id": "openai/gpt-4o-0513",
            "canonical_slug": "openai/gpt-4o-2024-05-13",
            "name": "GPT-4o",
            "hugging_face_id": "",
        },
        {
            "id": "acorn/nut-1:free",
            "canonical_slug": "acorn/nut-1",
            "name": "Nut 1",
            "hugging_face_id": "Acorn/Nut-1",
        },
        {"id": "no slug"},
    ]
}


@pytest.fixture
async def openrouter() -> AsyncIterator[Scripted]:
    async with scripted({RANKINGS: answer(PUBLISHED), CATALOGUE: MODELS}) as server:
        yield server


def job(
    broker: Broker, url: str, request_policy: RequestPolicy = QUICK, **more: Any
) -> OpenRouterJob:
    settings = Settings(
        kafka_bootstrap_servers=broker.bootstrap,
        openrouter_base_url=url,
        openrouter_api_key=SecretStr("sk-or-nobody-may-see"),
        partitions=PARTITIONS,
        **more,
    )
    made = OpenRouterJob(settings, give_up_after=20.0, request_policy=request_policy)
    # Asks for the one day only.
    made.last_run = NOW
    return made


async def days(broker: Broker) -> dict[date, InferenceDay]:
    found = await read_events(broker.bootstrap, INFERENCE, InferenceDay)
    return {one.day: one for one in found}


async def names(broker: Broker) -> dict[str, NameRecord]:
    found = await read_events(broker.bootstrap, NAMES, NameRecord)
    return {one.name: one for one in found}


async def letters(broker: Broker) -> list[tuple[str, Any]]:
    found = await read_events(broker.bootstrap, DEAD_LETTERS, DeadLetter)
    return [(one.error, json.loads(base64.b64decode(one.value_base64))) for one in found]


async def test_the_published_example_is_read_exactly(broker: Broker, openrouter: Scripted) -> None:
    outcome = await job(broker, openrouter.url).run(NOW)
    (day,) = (await days(broker)).values()
    assert day.day == date(2026, 5, 11)
    assert day.as_of == datetime(2026, 5, 12, 2, tzinfo=UTC)
    assert sum(day.tokens) == 26_543_319
    assert dict(zip(day.names, day.tokens, strict=True))["other"] == 4_321_098
    (record,) = await read_records(broker.bootstrap, INFERENCE)
    assert record.key == "openrouter:2026-05-11"
    assert outcome.published["days"] == 1


async def test_days_the_answer_leaves_out_are_missing(broker: Broker, openrouter: Scripted) -> None:
    outcome = await job(broker, openrouter.url).run(NOW)
    assert outcome.missing == {"2026-04-11 to 2026-05-10": "the response starts at 2026-05-11"}


async def test_names_say_what_the_source_and_what_the_map_say(
    broker: Broker, openrouter: Scripted, tmp_path: Path
) -> None:
    mine = tmp_path / "names.csv"
    mine.write_text("source,name,open,model_id\nopenrouter,acorn/nut-1,open,Acorn/Nut-1-it\n")
    await job(broker, openrouter.url, names_file=mine).run(NOW)
    found = await names(broker)
    # The map's own names too, so that a correction reaches what is no longer ranked.
    assert found.keys() == load_names(mine).of("openrouter")
    nut = found["acorn/nut-1"]
    assert (nut.open, nut.model_id, nut.org) == (True, "Acorn/Nut-1-it", "Acorn")
    assert (nut.hint, nut.title, nut.vendor) == ("Acorn/Nut-1", "Nut 1", "acorn")
    assert found["openai/gpt-4o-2024-05-13"].hint is None
    assert found["openai/gpt-4o-2024-05-13"].title == "GPT-4o"


async def test_a_hint_classifies_nothing(broker: Broker, openrouter: Scripted) -> None:
    await job(broker, openrouter.url).run(NOW)
    nut = (await names(broker))["acorn/nut-1"]
    assert (nut.open, nut.model_id) == (None, None)


async def test_variants_are_rows_of_their_own_under_one_name(
    broker: Broker, openrouter: Scripted
) -> None:
    openrouter.answers[RANKINGS] = answer([row("a/b", "5"), row("a/b:free", "7")])
    await job(broker, openrouter.url).run(NOW)
    (day,) = (await days(broker)).values()
    assert dict(zip(day.names, day.tokens, strict=True)) == {"a/b": 5, "a/b:free": 7}
    assert {"a/b"} == {name for name in await names(broker) if name.startswith("a/")}


@pytest.mark.parametrize(
    ("tokens", "count"), [("9007199254740993", 2**53 + 1), (str(2**63 - 1), 2**63 - 1), (12, 12)]
)
async def test_tokens_are_exact(
    broker: Broker, openrouter: Scripted, tokens: Any, count: int
) -> None:
    openrouter.answers[RANKINGS] = answer([row("a/b", tokens)])
    await job(broker, openrouter.url).run(NOW)
    assert [day.tokens for day in (await days(broker)).values()] == [[count]]


@pytest.mark.parametrize(
    ("tokens", "count"),
    [("12345.5", 12346), ("12344.5", 12344), ("9007199254740993.25", 2**53 + 1), (12.75, 13)],
)
async def test_fractions_of_tokens_are_rounded_and_noted(
    broker: Broker, openrouter: Scripted, tokens: Any, count: int
) -> None:
    openrouter.answers[RANKINGS] = answer([row("a/b", tokens), row("c/d", "7.0"), row("e/f", "5")])
    outcome = await job(broker, openrouter.url).run(NOW)
    (day,) = (await days(broker)).values()
    assert dict(zip(day.names, day.tokens, strict=True)) == {"a/b": count, "c/d": 7, "e/f": 5}
    assert outcome.notes == (f"rounded fractions of tokens: {DAY} a/b {tokens}",)
    assert await letters(broker) == []


@pytest.mark.parametrize(
    "bad",
    [
        row("a/bad", "1e9"),
        row("a/bad", "-3"),
        row("a/bad", -3),
        row("a/bad", " 12"),
        row("a/bad", "٣"),
        row("a/bad", str(2**63)),
        row("a/bad", None),
        row("", "3"),
        row(":free", "3"),
        row("/x", "3"),
        {"date": DAY, "slug": "a/bad", "tokens": "3"},
        row("a/good", "6"),  # counted twice, differently
    ],
    ids=repr,
)
async def test_a_day_with_an_unreadable_row_is_not_published(
    broker: Broker, openrouter: Scripted, bad: Any
) -> None:
    """Its sum would be wrong; the day before lands."""
    rows = [row("a/good", "5", "2026-05-10"), row("a/good", "5"), bad]
    openrouter.answers[RANKINGS] = answer(rows, start="2026-05-10")
    outcome = await job(broker, openrouter.url).run(NOW)
    assert (await days(broker)).keys() == {date(2026, 5, 10)}
    assert list(outcome.missing) == ["2026-04-11 to 2026-05-09", DAY]
    assert "invalid row: " in outcome.missing[DAY]
    ((error, kept),) = await letters(broker)
    assert kept == bad
    assert error in outcome.missing[DAY]


async def test_row_without_day_invalidates_all_days(broker: Broker, openrouter: Scripted) -> None:
    openrouter.answers[RANKINGS] = answer([row("a/b", "5"), {"total_tokens": "5"}])
    with pytest.raises(EmptyResponseError, match="no complete day of tokens: invalid row"):
        await job(broker, openrouter.url).run(NOW)


async def test_a_day_nobody_asked_for_is_kept_aside(broker: Broker, openrouter: Scripted) -> None:
    openrouter.answers[RANKINGS] = answer([row("a/b", "5"), row("a/b", "9", "2026-05-12")])
    await job(broker, openrouter.url).run(NOW)
    assert [day.tokens for day in (await days(broker)).values()] == [[5]]
    assert [error for error, _ in await letters(broker)] == ["date: 2026-05-12 was not requested"]


@pytest.mark.parametrize("empty", [answer([]), {"data": None, "meta": {}}, {}, []], ids=repr)
async def test_an_empty_answer_is_an_alarm(
    broker: Broker, openrouter: Scripted, empty: Any
) -> None:
    openrouter.answers[RANKINGS] = empty
    with pytest.raises(EmptyResponseError, match="openrouter: "):
        await job(broker, openrouter.url).run(NOW)
    assert await read_records(broker.bootstrap, INFERENCE) == []


async def test_a_day_without_rows_is_missing(broker: Broker, openrouter: Scripted) -> None:
    openrouter.answers[RANKINGS] = answer([row("a/b", "5")], start="2026-05-09")
    outcome = await job(broker, openrouter.url).run(NOW)
    assert outcome.missing == {
        "2026-04-11 to 2026-05-08": "the response starts at 2026-05-09",
        "2026-05-09": "the response has no names for it",
        "2026-05-10": "the response has no names for it",
    }


async def test_response_without_as_of_is_rejected(broker: Broker, openrouter: Scripted) -> None:
    openrouter.answers[RANKINGS] = answer(PUBLISHED, as_of="soon")
    with pytest.raises(EmptyResponseError, match=r"no valid metadata \(as_of: .* OPENROUTER_BASE"):
        await job(broker, openrouter.url).run(NOW)


@pytest.mark.parametrize("as_of", ["2026-05-12T02:00:00Z", "2026-05-12T02:00:00.000Z"])
async def test_the_moment_has_milliseconds_or_not(
    broker: Broker, openrouter: Scripted, as_of: str
) -> None:
    openrouter.answers[RANKINGS] = answer(PUBLISHED, as_of=as_of)
    await job(broker, openrouter.url).run(NOW)
    (day,) = (await days(broker)).values()
    assert day.as_of == datetime(2026, 5, 12, 2, tzinfo=UTC)


def spans(server: Scripted) -> list[tuple[str, str]]:
    return [
        (request.query["start_date"], request.query["end_date"])
        for request in server.requests
        if request.path == RANKINGS
    ]


async def test_a_run_asks_for_a_month_again(broker: Broker, openrouter: Scripted) -> None:
    await job(broker, openrouter.url).run(NOW)
    assert spans(openrouter) == [("2026-04-11", DAY)]


async def test_a_run_after_an_outage_asks_since_the_last(
    broker: Broker, openrouter: Scripted
) -> None:
    late = job(broker, openrouter.url)
    late.last_run = datetime(2026, 2, 3, 2, tzinfo=UTC)
    await late.run(NOW)
    assert spans(openrouter) == [("2026-02-02", DAY)]


async def test_a_first_run_asks_from_the_first_day_in_spans_of_a_year(
    broker: Broker, openrouter: Scripted
) -> None:
    first = job(broker, openrouter.url)
    first.last_run = None
    openrouter.answers[RANKINGS] = lambda request: {
        "data": [row("a/b", "5", request.query["end_date"])],
        "meta": {"as_of": "2026-05-12T02:00:00Z", "start_date": request.query["end_date"]},
    }
    await first.run(NOW)
    assert spans(openrouter) == [("2025-01-01", "2026-01-01"), ("2026-01-02", DAY)]


async def test_without_a_key_nothing_is_asked(broker: Broker, openrouter: Scripted) -> None:
    keyless = job(broker, openrouter.url)
    keyless.settings = keyless.settings.model_copy(update={"openrouter_api_key": None})
    with pytest.raises(SettingsError, match="OPENROUTER_API_KEY: must be set"):
        await keyless.run(NOW)
    assert openrouter.requests == []


async def test_a_refused_key_names_its_setting(broker: Broker, openrouter: Scripted) -> None:
    openrouter.answers[RANKINGS] = lambda _: web.json_response(
        {"error": {"code": 401, "message": "Missing Authentication header"}}, status=401
    )
    with pytest.raises(SourceError, match="check OPENROUTER_API_KEY") as error:
        await job(broker, openrouter.url).run(NOW)
    assert "nobody" not in str(error.value)
    assert openrouter.requests[0].headers["Authorization"] == "Bearer sk-or-nobody-may-see"


async def test_tokens_land_without_the_catalogue(broker: Broker, openrouter: Scripted) -> None:
    del openrouter.answers[CATALOGUE]
    outcome = await job(broker, openrouter.url).run(NOW)
    assert len(await days(broker)) == 1
    assert "names without titles" in outcome.failures[0]
    assert not outcome.complete
    assert (await names(broker))["openai/gpt-4o-2024-05-13"].title is None


# The simulated OpenRouter, with the faults of the simulated Hub.

SIMULATED_NOW = datetime(2026, 3, 1, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalog() -> Any:
    return invented_catalog(end=datetime(2026, 3, 10, tzinfo=UTC), days=400)


@pytest.fixture
async def simulated(catalog: Any) -> AsyncIterator[FaultyHub]:
    async with FaultyHub(catalog, clock=SimulatedClock(SIMULATED_NOW)) as running:
        yield running


async def run_simulated(
    broker: Broker, hub: FaultyHub, request_policy: RequestPolicy = QUICK, **more: Any
) -> Outcome:
    one = job(broker, hub.openrouter_url, request_policy, **more)
    one.last_run = SIMULATED_NOW
    return await one.run(hub.clock.now())


@pytest.mark.parametrize(
    "fault",
    [
        ErrorStatus(match="rankings", times=2),
        TooManyRequests(match="rankings", wait="seconds", seconds=0, times=1),
        Truncated(match="rankings", times=2),
        Stalled(match="rankings", times=1),
    ],
    ids=repr,
)
async def test_transient_fault_is_retried(broker: Broker, simulated: FaultyHub, fault: Any) -> None:
    simulated.faults.add(fault)
    request_policy = HASTY if isinstance(fault, Stalled) else QUICK
    outcome = await run_simulated(broker, simulated, request_policy)
    assert outcome.complete
    assert outcome.published["days"] == 31


async def test_recounted_day_is_published_again(broker: Broker, simulated: FaultyHub) -> None:
    await run_simulated(broker, simulated)
    simulated.clock.set(SIMULATED_NOW + timedelta(days=2))
    await run_simulated(broker, simulated)
    found = await read_events(broker.bootstrap, INFERENCE, InferenceDay)
    countings = sorted(
        (one.as_of, sum(one.tokens)) for one in found if one.day == date(2026, 2, 28)
    )
    assert len(countings) == 2
    assert countings[0][1] < countings[1][1]


async def test_the_invented_names_are_classified_by_a_file(
    broker: Broker, simulated: FaultyHub, tmp_path: Path
) -> None:
    file = tmp_path / "names.csv"
    file.write_text(names_csv(simulated.catalog))
    await run_simulated(broker, simulated, names_file=file)
    found = await names(broker)
    assert [name for name, one in found.items() if one.open is None] == [UNCLASSIFIED]
    assert all(found[name].open is False for name in CLOSED)

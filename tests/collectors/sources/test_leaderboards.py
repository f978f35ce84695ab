"""Arena and Artificial Analysis: their documented answers, and how they can fail."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from breakout.contract.events import DeadLetter, LeaderboardSlice, NameRecord
from breakout.contract.topics import DEAD_LETTERS, LEADERBOARDS, NAMES
from breakout.registry.names import load_names
from breakout.settings import Settings, SettingsError
from breakout.simulation import SimulatedClock, invented_catalog
from breakout.simulation.leaderboards import UNKNOWN, VERSION_CHANGED
from breakout.simulation.reviewed import names_csv
from collectors.http.client import RequestPolicy
from collectors.http.errors import EmptyResponseError, SourceError
from collectors.scheduling.job import Job
from collectors.scheduling.report import summary
from collectors.sources.arena import ArenaJob
from collectors.sources.artificial_analysis import ArtificialAnalysisJob
from tests.collectors.quick import HASTY, QUICK
from tests.collectors.records import PARTITIONS, read_events, read_records
from tests.collectors.scripted import Scripted, scripted
from tests.support.faulty_hub.faults import ErrorStatus, Stalled, TooManyRequests, Truncated
from tests.support.faulty_hub.hub import FaultyHub
from tests.support.server_process import Broker

NOW = datetime(2026, 5, 28, 5, tzinfo=UTC)
MODELS = "/language/models/free"

OPUS = {
    "model_name": "claude-opus-4-6-thinking",
    "organization": "Anthropic",
    "license": "Proprietary",
    "rating": 1499.3,
    "rating_lower": 1495.0,
    "rating_upper": 1503.5,
    "variance": 4.7,
    "vote_count": 34186.0,
    "rank": 1.0,
    "category": "overall",
    "leaderboard_publish_date": "2026-05-27",
}
"""The published example of the dataset, whose counts are doubles."""
STYLED = OPUS | {"rating": 1510.0, "rating_lower": 1505.0, "rating_upper": 1515.0}
"""The same model's row where style is controlled."""
GLM = OPUS | {
    "model_name": "glm-5",
    "organization": "Z.ai",
    "license": "MIT",
    "rating": 1450.0,
    "rating_lower": None,
    "vote_count": 900.0,
    "rank": 9.0,
}


def viewed(rows: list[Any], total: int | None = None, *, partial: bool = False) -> Any:
    return {
        "features": [],
        "rows": [{"row_idx": i, "row": row, "truncated_cells": []} for i, row in enumerate(rows)],
        "num_rows_total": len(rows) if total is None else total,
        "num_rows_per_page": 100,
        "partial": partial,
    }


def text(answer: Any, styled: Any = None) -> Any:
    """Answer so for the leaderboard of text, and so for the one with style control."""
    left = list(answer) if isinstance(answer, tuple) else [answer]

    def answered(request: web.Request) -> Any:
        if request.query["config"] != "text":
            return viewed([STYLED]) if styled is None else styled
        one = left.pop(0) if len(left) > 1 else left[0]
        return one(request) if callable(one) else one

    return answered


def failing(status: int) -> Any:
    return lambda _: web.json_response({"error": "The server is busier than usual"}, status=status)


def item(slug: str, index: float | None, **more: Any) -> dict[str, Any]:
    evaluations = {
        "artificial_analysis_intelligence_index": index,
        "artificial_analysis_coding_index": None,
    }
    creator = {"id": "c", "name": "Z AI", "slug": "zai"}
    return {
        "id": "x", "name": slug.upper(), "slug": slug, "model_creator": creator,
        "evaluations": evaluations, **more,
    }  # fmt: skip


def page(items: list[Any], *, more: bool = False, version: Any = 4.1) -> Any:
    pagination = {"page": 1, "page_size": 200, "total_pages": 2, "has_more": more}
    return {
        "tier": "free", "intelligence_index_version": version, "pagination": pagination,
        "data": items,
    }  # fmt: skip


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    answers = {
        "/filter": text(viewed([OPUS, GLM])),
        MODELS: page([item("glm-4.5", 51.5), item("gpt-4o", 17.3), item("new-one", None)]),
    }
    async with scripted(answers) as running:
        yield running


def settings(broker: Broker, **more: Any) -> Settings:
    return Settings(
        kafka_bootstrap_servers=broker.bootstrap,
        artificial_analysis_api_key=SecretStr("aa-nobody-may-see"),
        partitions=PARTITIONS,
        **more,
    )


def arena(broker: Broker, url: str, request_policy: RequestPolicy = QUICK, **more: Any) -> ArenaJob:
    return ArenaJob(
        settings(broker, arena_base_url=url, **more),
        give_up_after=20.0,
        request_policy=request_policy,
    )


def analysis(
    broker: Broker, url: str, request_policy: RequestPolicy = QUICK, **more: Any
) -> ArtificialAnalysisJob:
    own = settings(broker, artificial_analysis_base_url=url, **more)
    return ArtificialAnalysisJob(own, give_up_after=20.0, request_policy=request_policy)


async def boards(broker: Broker) -> list[LeaderboardSlice]:
    """All but the leaderboard with style control, which most tests have no use for."""
    found = await read_events(broker.bootstrap, LEADERBOARDS, LeaderboardSlice)
    return [one for one in found if one.board != "text_style_control"]


async def names(broker: Broker) -> dict[str, NameRecord]:
    found = await read_events(broker.bootstrap, NAMES, NameRecord)
    return {one.name: one for one in found}


async def test_the_published_example_is_read_exactly(broker: Broker, server: Scripted) -> None:
    outcome = await arena(broker, server.url).run(NOW)
    assert outcome.complete
    (board,) = await boards(broker)
    assert (board.source, board.board, board.version) == ("arena", "text", "")
    assert board.published_on == date(2026, 5, 27)
    assert board.names == ["claude-opus-4-6-thinking", "glm-5"]
    assert (board.rating, board.lower, board.upper) == (
        [1499.3, 1450.0], [1495.0, None], [1503.5, 1503.5],
    )  # fmt: skip
    assert board.votes == [34186, 900]


async def test_arena_says_who_is_open_and_the_map_which_model_it_is(
    broker: Broker, server: Scripted
) -> None:
    unlicensed = GLM | {"model_name": "who", "license": None, "organization": "Alibaba"}
    mit = GLM | {"model_name": "brand-new", "license": "MIT", "organization": "Alibaba"}
    server.answers["/filter"] = text(viewed([OPUS, GLM, unlicensed, mit]))
    await arena(broker, server.url).run(NOW)
    found = await names(broker)
    glm = found["glm-5"]
    assert (glm.open, glm.model_id, glm.org) == (True, "zai-org/GLM-5", "zai-org")
    opus = found["claude-opus-4-6-thinking"]
    assert (opus.open, opus.model_id, opus.org) == (False, None, None)
    assert (found["who"].open, found["who"].org) == (None, "Qwen")
    new = found["brand-new"]
    assert (new.open, new.model_id, new.org) == (True, None, "Qwen")


async def test_every_day_of_the_leaderboard_is_a_slice(broker: Broker, server: Scripted) -> None:
    before = OPUS | {"leaderboard_publish_date": "2026-05-20", "rating": 1490.0}
    server.answers["/filter"] = text(viewed([OPUS, before]))
    await arena(broker, server.url).run(NOW)
    assert {one.published_on.day: one.rating for one in await boards(broker)} == {
        20: [1490.0],
        27: [1499.3],
    }


async def test_a_viewer_without_an_index_is_read_row_by_row(
    broker: Broker, server: Scripted
) -> None:
    server.answers["/filter"] = text(failing(422))
    coding = OPUS | {"category": "coding", "rating": 1600.0}
    pages = (viewed([OPUS] + [coding] * 99, 101), viewed([GLM], 101))
    server.answers["/rows"] = text(pages)
    await arena(broker, server.url).run(NOW)
    (board,) = await boards(broker)
    assert board.rating == [1499.3, 1450.0]


def numbered(rows: list[tuple[int, Any]], total: int) -> Any:
    return viewed([], total) | {
        "rows": [{"row_idx": number, "row": row, "truncated_cells": []} for number, row in rows]
    }


@pytest.mark.parametrize("status", [500, 502])
async def test_rows_go_on_where_a_later_page_of_the_filter_fails(
    broker: Broker, server: Scripted, status: int
) -> None:
    # As the viewer numbers them: by their place among the rows of all categories.
    server.answers["/filter"] = text((numbered([(3, OPUS)], 3), failing(status)))
    other = GLM | {"model_name": "other"}
    coding = OPUS | {"category": "coding"}
    after = numbered([(4, coding), (5, GLM), (6, other)], 7)
    server.answers["/rows"] = text(after)
    outcome = await arena(broker, server.url).run(NOW)
    assert outcome.complete
    (board,) = await boards(broker)
    assert board.names == ["claude-opus-4-6-thinking", "glm-5", "other"]
    asked = [one.query["offset"] for one in server.requests if one.path == "/rows"]
    assert asked == ["4"]


async def test_filtered_rows_without_rising_numbers_are_read_again(
    broker: Broker, server: Scripted
) -> None:
    pages = (numbered([(0, OPUS)], 3), numbered([(0, GLM)], 3), failing(500))
    server.answers["/filter"] = text(pages)
    server.answers["/rows"] = text(viewed([OPUS, GLM, GLM | {"model_name": "other"}]))
    outcome = await arena(broker, server.url).run(NOW)
    assert (outcome.complete, outcome.notes) == (True, ())
    (board,) = await boards(broker)
    assert board.names == ["claude-opus-4-6-thinking", "glm-5", "other"]


async def test_style_control_is_a_leaderboard_of_its_own(broker: Broker, server: Scripted) -> None:
    assert (await arena(broker, server.url).run(NOW)).complete
    found = await read_events(broker.bootstrap, LEADERBOARDS, LeaderboardSlice)
    assert {one.board: one.rating for one in found} == {
        "text": [1499.3, 1450.0],
        "text_style_control": [1510.0],
    }


async def test_one_leaderboard_that_fails_leaves_the_other(
    broker: Broker, server: Scripted
) -> None:
    server.answers["/filter"] = text(viewed([OPUS, GLM]), failing(404))
    server.answers["/rows"] = text(viewed([]), failing(404))
    outcome = await arena(broker, server.url).run(NOW)
    assert not outcome.complete
    (trouble,) = outcome.failures
    assert trouble.startswith("text_style_control: arena: ")
    assert [one.board for one in await boards(broker)] == ["text"]


async def test_an_empty_organisation_or_licence_is_not_stated(
    broker: Broker, server: Scripted
) -> None:
    # 63 of the 434 models of the dataset's whole history have ''.
    server.answers["/filter"] = text(viewed([GLM | {"organization": "", "license": " "}]))
    assert (await arena(broker, server.url).run(NOW)).complete
    glm = (await names(broker))["glm-5"]
    assert (glm.vendor, glm.model_id) == (None, "zai-org/GLM-5")


def rated(rating: float, votes: float | None, **more: Any) -> dict[str, Any]:
    ends = {"rating_lower": rating - 5, "rating_upper": rating + 5}
    return GLM | {"rating": rating, "vote_count": votes} | ends | more


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("rows", "rating", "votes"),
    [
        ([rated(1400.0, 77.0), rated(1402.0, 77.0), rated(1409.0, 77.0)], 1402.0, 77),
        ([rated(1400.0, 77.0), rated(1401.0, 77.0)], 1400.5, 77),
        ([rated(1400.0, 80.0), rated(1500.0, 77.0), rated(1600.0, None)], 1400.0, 80),
        ([rated(1400.0, None), rated(1500.0, None)], 1450.0, None),
        ([rated(1400.0, 7.0), rated(1400.0, 7.0), rated(1500.0, 7.0)], 1450.0, 7),
    ],
    ids=["median", "two", "most votes", "no votes", "equal rows"],
)
async def test_several_ratings_of_day_are_merged_by_rule(
    broker: Broker, server: Scripted, order: int, rows: list[Any], rating: float, votes: int | None
) -> None:
    server.answers["/filter"] = text(viewed([OPUS, *rows][::order]))
    outcome = await arena(broker, server.url).run(NOW)
    assert outcome.complete
    assert (
        "(names of text with several ratings a day: 1, published the median of those with the "
        "most votes)"
    ) in summary(outcome)
    (board,) = await boards(broker)
    place = board.names.index("glm-5")
    assert (board.rating[place], board.votes[place]) == (rating, votes)
    assert (board.lower[place], board.upper[place]) == (rating - 5, rating + 5)
    assert await read_records(broker.bootstrap, DEAD_LETTERS) == []


async def test_rows_that_disagree_on_the_licence_leave_a_name_unclassified(
    broker: Broker, server: Scripted
) -> None:
    new = {"model_name": "brand-new"}
    rows = [rated(1400.0, 7.0, **new), rated(1401.0, 7.0, license="Proprietary", **new)]
    server.answers["/filter"] = text(viewed(rows))
    await arena(broker, server.url).run(NOW)
    assert (await names(broker))["brand-new"].open is None


@pytest.mark.parametrize(
    "answer",
    [
        viewed([]),
        viewed([OPUS], 2, partial=True),
        {"rows": [], "total": 3},
        [],
        viewed([OPUS | {"category": "coding"}]),
        viewed([{key: value for key, value in OPUS.items() if key != "category"}]),
        (viewed([OPUS], 2), viewed([], 2)),
        (viewed([OPUS], 2), viewed([GLM], 3)),
    ],
    ids=repr,
)
async def test_a_leaderboard_in_part_is_an_alarm(
    broker: Broker, server: Scripted, answer: Any
) -> None:
    server.answers["/filter"] = text(answer)
    outcome = await arena(broker, server.url).run(NOW)
    assert [trouble.partition(":")[0] for trouble in outcome.failures] == ["text"]
    assert await boards(broker) == []


async def test_no_leaderboard_at_all_is_an_error(broker: Broker, server: Scripted) -> None:
    server.answers["/filter"] = viewed([])
    with pytest.raises(EmptyResponseError, match="no valid rating of text: the leaderboard"):
        await arena(broker, server.url).run(NOW)
    assert await read_records(broker.bootstrap, LEADERBOARDS) == []


@pytest.mark.parametrize(
    "bad",
    [
        GLM | {"rating": "high"},
        {key: value for key, value in GLM.items() if key != "rating"},
        GLM | {"leaderboard_publish_date": "soon"},
        GLM | {"vote_count": -1},
        GLM | {"vote_count": 900.5},
        {key: value for key, value in GLM.items() if key != "category"},
    ],
    ids=["text", "renamed", "date", "votes", "half a vote", "category"],
)
async def test_an_unreadable_rating_is_a_dead_letter_and_its_neighbours_land(
    broker: Broker, server: Scripted, bad: Any
) -> None:
    server.answers["/filter"] = text(viewed([OPUS, bad]))
    outcome = await arena(broker, server.url).run(NOW)
    assert list(outcome.missing) == ["glm-5"]
    assert [one.names for one in await boards(broker)] == [["claude-opus-4-6-thinking"]]
    assert len(await read_events(broker.bootstrap, DEAD_LETTERS, DeadLetter)) == 1


async def test_a_row_that_is_no_object_is_a_dead_letter(broker: Broker, server: Scripted) -> None:
    server.answers["/filter"] = text(viewed([OPUS, 7]))
    outcome = await arena(broker, server.url).run(NOW)
    assert list(outcome.missing) == ["a row without model_name"]
    assert len(await read_events(broker.bootstrap, DEAD_LETTERS, DeadLetter)) == 1


async def test_an_index_is_published_with_its_version(broker: Broker, server: Scripted) -> None:
    outcome = await analysis(broker, server.url).run(NOW)
    assert outcome.published["ratings"] == 2
    (board,) = await boards(broker)
    assert (board.board, board.version) == ("intelligence_index", "4.1")
    assert board.published_on == NOW.date()
    assert dict(zip(board.names, board.rating, strict=True)) == {"glm-4.5": 51.5, "gpt-4o": 17.3}
    found = await names(broker)
    assert (found["glm-4.5"].open, found["glm-4.5"].model_id) == (True, "zai-org/GLM-4.5")
    assert found["gpt-4o"].open is False
    # The map's other names too, so that a correction reaches past leaderboards.
    assert found.keys() == load_names(None).of("artificial-analysis") | {"new-one"}
    assert (found["new-one"].open, found["new-one"].org) == (None, "zai-org")
    assert server.requests[0].headers["x-api-key"] == "aa-nobody-may-see"
    assert "Authorization" not in server.requests[0].headers


async def test_all_pages_are_read(broker: Broker, server: Scripted) -> None:
    server.answers[MODELS] = (
        page([item("a", 1.0)], more=True),
        page([item("b", 2.0)], version="4.1"),
    )
    await analysis(broker, server.url).run(NOW)
    assert [one.names for one in await boards(broker)] == [["b", "a"]]
    assert [request.query["page"] for request in server.requests] == ["1", "2"]


async def test_a_version_that_changes_between_pages_is_read_again(
    broker: Broker, server: Scripted
) -> None:
    server.answers[MODELS] = (
        page([item("a", 1.0)], more=True, version=4.0),
        page([item("b", 2.0)], version=4.1),
        page([item("a", 0.5)], more=True, version=4.1),
        page([item("b", 1.5)], version=4.1),
    )
    await analysis(broker, server.url).run(NOW)
    (board,) = await boards(broker)
    assert (board.version, board.rating) == ("4.1", [1.5, 0.5])


async def test_a_version_that_changes_again_is_an_alarm(broker: Broker, server: Scripted) -> None:
    first = page([item("a", 1.0)], more=True, version=4.0)
    second = page([item("b", 2.0)], version=4.1)
    server.answers[MODELS] = (first, second, first, second)
    with pytest.raises(EmptyResponseError, match=r"changed from 4\.0 to 4\.1 while"):
        await analysis(broker, server.url).run(NOW)
    assert await read_records(broker.bootstrap, LEADERBOARDS) == []


async def test_a_model_without_ratings_or_maker_is_named_and_unrated(
    broker: Broker, server: Scripted
) -> None:
    bare = item("bare", None, model_creator=None) | {"evaluations": None}
    server.answers[MODELS] = page([item("a", 1.0), bare])
    assert (await analysis(broker, server.url).run(NOW)).complete
    assert [one.names for one in await boards(broker)] == [["a"]]
    assert (await names(broker))["bare"].vendor is None


@pytest.mark.parametrize("order", [1, -1])
async def test_model_listed_twice_keeps_highest_ratings(
    broker: Broker, server: Scripted, order: int
) -> None:
    first = item("twice", 50.0)
    second = item("twice", 40.0, name=None)
    second["evaluations"]["artificial_analysis_coding_index"] = 30.0
    equal = item("equal", 20.0)
    server.answers[MODELS] = page([first, equal, second, equal][::order])
    outcome = await analysis(broker, server.url).run(NOW)
    assert outcome.complete
    assert "(models with several rows: 1, published the highest ratings)" in summary(outcome)
    found = {
        one.board: dict(zip(one.names, one.rating, strict=True)) for one in await boards(broker)
    }
    assert found == {
        "intelligence_index": {"twice": 50.0, "equal": 20.0},
        "coding_index": {"twice": 30.0},
    }
    assert (await names(broker))["twice"].title == "TWICE"


async def test_an_index_is_of_the_utc_day(broker: Broker, server: Scripted) -> None:
    here = datetime(2026, 5, 29, 1, tzinfo=timezone(timedelta(hours=2)))
    await analysis(broker, server.url).run(here)
    assert [one.published_on for one in await boards(broker)] == [date(2026, 5, 28)]


@pytest.mark.parametrize(
    "answer",
    [
        page([]),
        page([item("a", None)]),
        page([], more=True),
        page([item("a", 1.0)], more=True),
        page([item("a", 1.0)], version=None),
        {"data": [item("a", 1.0)]},
        [],
        page([{"slug": "a", "evaluations": {"artificial_analysis_intelligence_index": "x"}}]),
    ],
    ids=[
        "empty",
        "unrated",
        "empty page",
        "endless",
        "no version",
        "no envelope",
        "list",
        "unreadable",
    ],
)
async def test_an_index_without_numbers_or_version_is_an_alarm(
    broker: Broker, server: Scripted, answer: Any
) -> None:
    server.answers[MODELS] = answer
    with pytest.raises(EmptyResponseError, match="artificial-analysis: "):
        await analysis(broker, server.url).run(NOW)
    assert await read_records(broker.bootstrap, LEADERBOARDS) == []


async def test_without_a_key_nothing_is_asked(broker: Broker, server: Scripted) -> None:
    job = analysis(broker, server.url)
    job.settings = job.settings.model_copy(update={"artificial_analysis_api_key": None})
    with pytest.raises(SettingsError, match="ARTIFICIAL_ANALYSIS_API_KEY: must be set"):
        await job.run(NOW)
    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "check ARTIFICIAL_ANALYSIS_API_KEY"),
        (410, "HTTP 410 Gone: check ARTIFICIAL_ANALYSIS_BASE_URL"),
    ],
)
async def test_a_refusal_says_why(
    broker: Broker, server: Scripted, status: int, reason: str
) -> None:
    server.answers[MODELS] = lambda _: web.json_response({"error": "no"}, status=status)
    with pytest.raises(SourceError, match=reason) as error:
        await analysis(broker, server.url).run(NOW)
    assert "nobody" not in str(error.value)


def spent(seconds: int, status: int = 429) -> Any:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    headers = {
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": f"{at.timestamp():.0f}",
    }
    content = page([item("a", 1.0)], more=True) if status == 200 else {"error": "Rate limit"}
    return lambda _: web.json_response(content, status=status, headers=headers)


@pytest.mark.parametrize("status", [429, 200])
async def test_a_spent_quota_is_not_asked_again_before_its_reset(
    broker: Broker, server: Scripted, status: int
) -> None:
    server.answers[MODELS] = spent(40_000, status)
    with pytest.raises(SourceError, match="the source demands a wait of") as error:
        await analysis(broker, server.url).run(NOW)
    assert 39_000 < error.value.retry_after <= 40_001
    assert len(server.requests) == 1


async def test_a_quota_that_is_refilled_soon_is_waited_for(
    broker: Broker, server: Scripted
) -> None:
    server.answers[MODELS] = (spent(1), page([item("a", 1.0)]))
    assert (await analysis(broker, server.url).run(NOW)).complete
    assert len(server.requests) == 2


async def test_a_refusal_without_a_reset_costs_few_of_the_quota(
    broker: Broker, server: Scripted
) -> None:
    server.answers[MODELS] = failing(429)
    with pytest.raises(SourceError, match="rate limited"):
        await analysis(broker, server.url).run(NOW)
    assert len(server.requests) == 3


# The simulated leaderboards, with the faults of the simulated Hub.


@pytest.fixture(scope="module")
def catalog() -> Any:
    return invented_catalog(end=datetime(2026, 3, 10, tzinfo=UTC), days=400)


@pytest.fixture
async def hub(catalog: Any) -> AsyncIterator[FaultyHub]:
    async with FaultyHub(catalog, clock=SimulatedClock(VERSION_CHANGED)) as running:
        yield running


def simulated(broker: Broker, hub: FaultyHub, request_policy: RequestPolicy) -> list[Job]:
    return [
        arena(broker, hub.arena_url, request_policy),
        analysis(broker, hub.artificial_analysis_url, request_policy),
    ]


@pytest.mark.parametrize(
    "fault",
    [
        ErrorStatus(match="offset=100|page=1", times=2),
        TooManyRequests(match="offset=0|page=1", wait="seconds", seconds=0, times=1),
        Truncated(match="offset=0|page=1", times=2),
        Stalled(match="offset=0|page=1", times=1),
    ],
    ids=repr,
)
async def test_transient_fault_is_retried(broker: Broker, hub: FaultyHub, fault: Any) -> None:
    for job in simulated(broker, hub, HASTY if isinstance(fault, Stalled) else QUICK):
        hub.faults.clear()
        hub.faults.add(fault)
        assert (await job.run(VERSION_CHANGED)).complete


async def test_the_invented_leaderboards_are_classified_by_a_file(
    broker: Broker, hub: FaultyHub, tmp_path: Path
) -> None:
    file = tmp_path / "names.csv"
    file.write_text(names_csv(hub.catalog))
    await arena(broker, hub.arena_url, names_file=file).run(VERSION_CHANGED)
    await analysis(broker, hub.artificial_analysis_url, names_file=file).run(VERSION_CHANGED)
    found = await read_events(broker.bootstrap, NAMES, NameRecord)
    unclassified = {(one.source, one.name) for one in found if one.open is None}
    assert unclassified == {("artificial-analysis", UNKNOWN)}


async def test_the_simulated_index_changes_its_version(broker: Broker, hub: FaultyHub) -> None:
    job = analysis(broker, hub.artificial_analysis_url)
    for moment in (VERSION_CHANGED - timedelta(days=1), VERSION_CHANGED):
        hub.clock.set(moment)
        await job.run(moment)
    versions = {one.version for one in await boards(broker)}
    assert versions == {"4.0", "4.1"}

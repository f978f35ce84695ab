"""Backfill from the archives: little is read of much, and nothing is read wrong."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from aiohttp import web
from pydantic import SecretStr

from breakout.contract.events import DownloadsSlice
from breakout.contract.topics import DOWNLOADS
from breakout.settings import Settings
from collectors.backfill.run import Result, backfill_archive, report
from collectors.http.errors import SourceError
from tests.collectors.backfill.hub import TRACKED, Archives, archives, parquet
from tests.collectors.quick import QUICK
from tests.collectors.records import PARTITIONS, read_events
from tests.support.server_process import Broker, free_port

TOKEN = "hf_nobody_may_see"
COUNTS: Any = {model: (n, 10**n, None) for n, model in enumerate(TRACKED, start=1)}
LATER: Any = {model: (n, 2 * 10**n, 3) for n, model in enumerate(TRACKED, start=1)}
FIRST, SECOND = "2026-01-02T05:00:00.000Z", "2026-01-03T05:00:00.000Z"


@pytest.fixture
async def hub() -> AsyncIterator[Archives]:
    async with archives() as running:
        running.commits(
            ("ccc", SECOND, parquet(LATER)),
            ("bbb", FIRST, parquet(COUNTS)),
            ("aaa", "2026-01-02T01:00:00.000Z", None),
        )
        yield running


async def backfill(broker: Broker, hub: Archives, origin: str = "hub-stats", **more: Any) -> Result:
    settings = Settings(
        kafka_bootstrap_servers=broker.bootstrap,
        hf_endpoint=hub.hub.url,
        hf_token=SecretStr(TOKEN),
        tracked_models_url=hub.lists,
        clickhouse_url=f"http://127.0.0.1:{free_port()}/breakout",
        partitions=PARTITIONS,
    )
    return await backfill_archive(settings, origin, request_policy=QUICK, **more)


async def observed(broker: Broker) -> dict[tuple[datetime, str], tuple[Any, Any, Any]]:
    slices = await read_events(broker.bootstrap, DOWNLOADS, DownloadsSlice)
    assert {(one.source, one.origin) for one in slices} <= {("huggingface", "hub-stats")}
    return {
        (one.observed_at, model): (d30, total, likes)
        for one in slices
        for model, d30, total, likes in zip(
            one.models, one.downloads_30d, one.downloads_all_time, one.likes, strict=True
        )
    }


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


async def test_the_last_revision_of_each_day_is_published(broker: Broker, hub: Archives) -> None:
    done = await backfill(broker, hub)
    expected = {(at(FIRST), model): counts for model, counts in COUNTS.items()}
    expected |= {(at(SECOND), model): counts for model, counts in LATER.items()}
    assert await observed(broker) == expected
    assert (done.snapshots, done.observations) == (2, 8)
    assert done.complete


async def test_revision_with_unchanged_file_is_skipped(broker: Broker, hub: Archives) -> None:
    third = "2026-01-03T05:00:00Z"
    file = parquet(COUNTS)
    hub.commits(("ddd", third, file), ("bbb", FIRST, file))
    said: list[str] = []
    done = await backfill(broker, hub, say=said.append)
    assert {moment for moment, _ in await observed(broker)} == {at(FIRST)}
    assert (done.snapshots, done.unchanged) == (1, 1)
    assert done.complete
    assert "2026-01-03T05:00:00Z: unchanged file, skipped" in said


async def test_of_a_day_the_last_revision_of_the_models_counts(
    broker: Broker, hub: Archives
) -> None:
    hub.commits(
        ("datasets.parquet", "2026-01-02T09:00:00Z", parquet(LATER)),
        ("models.parquet", FIRST, parquet(COUNTS)),
    )
    await backfill(broker, hub)
    assert {moment for moment, _ in await observed(broker)} == {at(FIRST)}


async def test_a_listing_without_pages_ends(broker: Broker, hub: Archives) -> None:
    hub.commits(("bbb", FIRST, parquet(COUNTS)))
    path = "/api/datasets/cfahlgren1/hub-stats/commits/main"
    first = hub.hub.answers[path]
    hub.hub.answers[path] = lambda request: first(request.clone(rel_url=f"{path}?p=0"))
    await backfill(broker, hub)
    assert {moment for moment, _ in await observed(broker)} == {at(FIRST)}


async def test_only_what_is_needed_is_read(broker: Broker, hub: Archives) -> None:
    await backfill(broker, hub)
    whole = sum(len(body) for body in hub.cdn.files.values())
    assert whole > 20_000_000
    assert hub.cdn.sent < whole / 20


async def test_the_token_stays_with_the_hub(broker: Broker, hub: Archives) -> None:
    await backfill(broker, hub)
    assert any(TOKEN in str(request.headers) for request in hub.hub.requests)
    assert hub.cdn.headers
    assert not any(TOKEN in str(headers) for headers in hub.cdn.headers)


async def test_a_span_of_days_can_be_chosen(broker: Broker, hub: Archives) -> None:
    await backfill(broker, hub, since=datetime(2026, 1, 3, tzinfo=UTC))
    assert {moment for moment, _ in await observed(broker)} == {at(SECOND)}


async def test_a_dry_run_reads_and_publishes_nothing(broker: Broker, hub: Archives) -> None:
    said: list[str] = []
    done = await backfill(broker, hub, dry_run=True, say=said.append)
    assert (done.snapshots, done.observations) == (2, 8)
    assert len(said) == 2
    assert said[0].startswith("2026-01-02T05:00:00Z: 4 of 4 models, ")


async def test_an_old_snapshot_without_all_time_counters_has_nulls(
    broker: Broker, hub: Archives
) -> None:
    hub.commits(("old", FIRST, parquet(COUNTS, without="downloadsAllTime")))
    await backfill(broker, hub)
    assert {counts[1] for counts in (await observed(broker)).values()} == {None}


CREATED = {
    TRACKED[0]: datetime(2024, 9, 1, 12, tzinfo=UTC),
    TRACKED[1]: datetime(2024, 8, 1, tzinfo=UTC),
    TRACKED[2]: datetime(2022, 3, 2, 23, 29, 4, tzinfo=UTC),
    TRACKED[3]: None,
}


def timestamps(ids: list[str]) -> pa.Array:
    return pa.array([CREATED.get(one) for one in ids], pa.timestamp("us", "UTC"))


def texts(ids: list[str]) -> pa.Array:
    times = [CREATED.get(one) for one in ids]
    return pa.array([None if one is None else one.isoformat() for one in times])


def naive_nanoseconds(ids: list[str]) -> pa.Array:
    return timestamps(ids).cast(pa.timestamp("ns"))


@pytest.mark.parametrize("created", [timestamps, texts, naive_nanoseconds])
@pytest.mark.parametrize("without", [None, "downloadsAllTime"], ids=["all null", "no column"])
async def test_snapshot_of_2024_is_used_while_repositories_are_young(
    broker: Broker, hub: Archives, created: Any, without: str | None
) -> None:
    counts: Any = {model: (100 + n, None, 2) for n, model in enumerate(TRACKED)}
    others: Any = {f"m{n:04}/other": (1, None, 1) for n in range(2000)}
    file = parquet(counts | others, without=without, created=created)
    later = parquet({TRACKED[0]: (150, None, 2)} | others, without=without, created=created)
    hub.commits(("old", "2024-09-20T05:00:00Z", file), ("new", "2024-10-01T12:00:00Z", later))
    said: list[str] = []
    done = await backfill(broker, hub, say=said.append)
    slices = await read_events(broker.bootstrap, DOWNLOADS, DownloadsSlice)
    rows = {
        (one.observed_at.date(), model): (one.origin, total, d30)
        for one in slices
        for model, total, d30 in zip(
            one.models, one.downloads_all_time, one.downloads_30d, strict=True
        )
    }
    first = date(2024, 9, 20)
    assert rows == {
        (first, TRACKED[0]): ("hub-stats-30d", 100, 100),
        (first, TRACKED[1]): ("hub-stats", None, 101),
        (first, TRACKED[2]): ("hub-stats", None, 102),
        (first, TRACKED[3]): ("hub-stats", None, 103),
        (date(2024, 10, 1), TRACKED[0]): ("hub-stats", None, 150),
    }
    assert (done.snapshots, done.observations, done.young, done.without_total) == (2, 5, 1, 4)
    assert list(report(done))[1:3] == [
        "1 observations by the 30-day counter of young repositories",
        "4 observations without an all-time counter",
    ]


async def test_creation_times_are_read_only_where_needed(broker: Broker, hub: Archives) -> None:
    hub.commits(("new", FIRST, parquet(COUNTS)))
    await backfill(broker, hub, dry_run=True)
    sent = hub.cdn.sent
    hub.commits(
        ("new", FIRST, parquet(COUNTS, created=lambda ids: pa.array(["x" * 50_000] * len(ids))))
    )
    hub.cdn.sent = 0
    await backfill(broker, hub, dry_run=True)
    assert hub.cdn.sent < sent + 10_000


async def test_floats_that_are_whole_are_read_and_others_are_dead_letters(
    broker: Broker, hub: Archives
) -> None:
    odd = ((1, 12.0, 1), (1, None, 1), (1, 1.5, 1), (1, -4.0, 1))
    counts: Any = dict(zip(TRACKED, odd, strict=True))
    hub.commits(("odd", FIRST, parquet(counts)))
    done = await backfill(broker, hub)
    found = {model: row[1] for (_, model), row in (await observed(broker)).items()}
    assert found == {TRACKED[0]: 12, TRACKED[1]: None}
    assert (done.dead_letters, len(done.missing)) == (2, 2)


async def test_the_weekly_snapshots_are_as_of_their_date(broker: Broker, hub: Archives) -> None:
    folder = "/api/datasets/hfmlsoc/hub_weekly_snapshots/tree/main/models"
    hub.hub.answers[folder] = [
        {"type": "directory", "path": "models/2026-01-07"},
        {"type": "directory", "path": "models/latest"},
        {"type": "file", "path": "models/2026-01-08"},
    ]
    path = "/datasets/hfmlsoc/hub_weekly_snapshots/resolve/main/models/2026-01-07/models.parquet"
    hub.put(path, parquet(COUNTS), hub.cdn_server.url)
    done = await backfill(broker, hub, "hub-weekly-snapshots")
    slices = await read_events(broker.bootstrap, DOWNLOADS, DownloadsSlice)
    assert {(one.origin, one.observed_at) for one in slices} == {
        ("hub-weekly-snapshots", datetime(2026, 1, 7, tzinfo=UTC))
    }
    assert done.observations == 4


def once(answer: Any, *, after: int = 0) -> Any:
    asked = []

    def misbehave(request: web.Request, body: bytes) -> Any:
        asked.append(request)
        return answer(request, body) if len(asked) == after + 1 else None

    return misbehave


@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize(
    "answer",
    [
        lambda _request, _body: web.Response(status=503),
        lambda _request, _body: web.Response(status=429, headers={"Retry-After": "0"}),
        lambda _request, body: web.Response(
            status=206, body=body[:1], headers={"Content-Range": f"bytes 0-9/{len(body)}"}
        ),
        lambda _request, body: web.Response(status=206, body=body[:1]),
    ],
    ids=["503", "429", "short", "no range"],
)
async def test_transient_fault_is_retried(
    broker: Broker, hub: Archives, answer: Any, after: int
) -> None:
    hub.cdn.misbehave = once(answer, after=after)
    assert (await backfill(broker, hub)).complete
    assert len(await observed(broker)) == 8


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda _request, body: web.Response(body=body), "does not support range requests"),
        (lambda _request, _body: web.Response(status=404), "HTTP 404"),
        (
            lambda _request, body: web.Response(
                status=206,
                body=body[:100],
                headers={"Content-Range": f"bytes 0-99/{len(body) + 1}", "ETag": '"one"'},
            ),
            "",
        ),
    ],
    ids=["whole file", "gone", "other file"],
)
async def test_a_snapshot_that_cannot_be_read_is_missing_and_others_land(
    broker: Broker, hub: Archives, answer: Any, why: str
) -> None:
    hub.cdn.misbehave = lambda request, body: (
        answer(request, body) if "bbb" in request.path else None
    )
    done = await backfill(broker, hub)
    assert list(done.missing) == ["2026-01-02T05:00:00+00:00"]
    assert why in done.missing["2026-01-02T05:00:00+00:00"]
    assert {moment for moment, _ in await observed(broker)} == {at(SECOND)}


async def test_a_file_that_changes_while_it_is_read_is_missing(
    broker: Broker, hub: Archives
) -> None:
    def other(request: web.Request, body: bytes) -> Any:
        start, stop = request.http_range.start or 0, request.http_range.stop or len(body)
        span = f"bytes {start}-{stop - 1}/{len(body)}"
        headers = {"Content-Range": span, "ETag": '"two"'}
        return web.Response(status=206, body=body[start:stop], headers=headers)

    hub.cdn.misbehave = once(other, after=1)
    done = await backfill(broker, hub)
    assert "the file changed while it was being read" in next(iter(done.missing.values()))


async def test_invalid_parquet_file_is_missing(broker: Broker, hub: Archives) -> None:
    hub.commits(("bad", FIRST, b"<html>" * 100))
    done = await backfill(broker, hub)
    assert "is not a readable Parquet file" in next(iter(done.missing.values()))


async def test_an_archive_that_cannot_be_listed_is_a_failure(broker: Broker, hub: Archives) -> None:
    del hub.hub.answers["/api/datasets/cfahlgren1/hub-stats/commits/main"]
    with pytest.raises(SourceError, match="HTTP 404"):
        await backfill(broker, hub)

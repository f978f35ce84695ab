"""Sources: whatever they answer, a run ends with a report, and what it publishes is valid."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from hypothesis import strategies as st
from pydantic import SecretStr

from breakout.contract.events import read_event
from breakout.contract.topics import TOPICS
from breakout.retry import RetryPolicy
from breakout.settings import Settings, read_settings
from collectors.http.client import RequestPolicy
from collectors.publishing.publisher import Publisher
from collectors.scheduling.job import EXPECTED_ERRORS, Job, publish
from collectors.scheduling.outcome import Outcome
from collectors.scheduling.report import log_outcome, summary
from collectors.sources.arena import ArenaJob
from collectors.sources.artificial_analysis import ArtificialAnalysisJob
from collectors.sources.derivatives import DerivativesJob
from collectors.sources.huggingface import HuggingFaceJob
from collectors.sources.modelscope import ModelScopeJob
from collectors.sources.openrouter import OpenRouterJob
from collectors.sources.registry import RegistryJob
from tests.breakout.registry.lists import contents
from tests.collectors.scripted import Scripted, scripted
from tests.fuzz.effort import efforts, explore
from tests.fuzz.mutations import mutants

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)
DAY = "2026-08-21"
IMPATIENT = RequestPolicy(
    connect=2.0,
    read=2.0,
    total=5.0,
    retries=RetryPolicy(0.001, 0.002, jitter=1.0, attempts=2),
    longest_limit_wait=0.01,
    limited_attempts=2,
)

HUB_ROW = {
    "id": "acorn/Acorn-7B",
    "downloads": 5,
    "downloadsAllTime": 9007199254740993,
    "likes": 1,
    "createdAt": "2025-08-04T10:00:00.000Z",
    "safetensors": {"total": 7_000_000_000, "parameters": {"BF16": 7_000_000_000}},
    "baseModels": {"relation": "finetune", "models": [{"_id": "x", "id": "birch/Birch-2B"}]},
    "gated": False,
    "pipeline_tag": "text-generation",
    "tags": ["license:mit", "region:us"],
}
HUB_LISTING = [HUB_ROW, HUB_ROW | {"id": "acorn/new-1B", "baseModels": None}]
ARENA_ROW = {
    "model_name": "one",
    "organization": "Acorn",
    "license": "MIT",
    "rating": 1499.3,
    "rating_lower": 1495.0,
    "rating_upper": 1503.5,
    "vote_count": 34186,
    "category": "overall",
    "leaderboard_publish_date": DAY,
}
ARENA_PAGE = {
    "rows": [
        {"row_idx": 0, "row": ARENA_ROW},
        {"row_idx": 1, "row": ARENA_ROW | {"model_name": "two"}},
    ],
    "num_rows_total": 2,
    "partial": False,
}
INDEX_PAGE = {
    "intelligence_index_version": 4.1,
    "pagination": {"has_more": False, "total_pages": 1},
    "data": [
        {
            "slug": "one",
            "name": "One",
            "model_creator": {"name": "Acorn"},
            "evaluations": {
                "artificial_analysis_intelligence_index": 50.5,
                "artificial_analysis_coding_index": None,
            },
        }
    ],
}
RANKINGS = {
    "data": [
        {"date": DAY, "model_permaslug": "acorn/one", "total_tokens": "12345678901234567890"[:18]},
        {"date": DAY, "model_permaslug": "other", "total_tokens": "5"},
    ],
    "meta": {"as_of": "2026-08-22T02:00:00Z", "start_date": DAY, "end_date": DAY},
}
CATALOGUE = {
    "data": [{"canonical_slug": "acorn/one", "name": "One", "hugging_face_id": "acorn/Acorn-7B"}]
}
SCOPE_PAGE = {
    "success": True,
    "data": {
        "models": [{"id": "acorn/Acorn-7B", "downloads": 7, "likes": 1}],
        "total_count": 1,
    },
}

HUB = "/api/models"
CASES: dict[type[Job], dict[str, Any]] = {
    HuggingFaceJob: {HUB: HUB_LISTING},
    RegistryJob: {HUB: HUB_LISTING},
    DerivativesJob: {HUB: HUB_LISTING},
    ArenaJob: {"/filter": ARENA_PAGE},
    ArtificialAnalysisJob: {"/language/models/free": INDEX_PAGE},
    OpenRouterJob: {"/datasets/rankings-daily": RANKINGS, "/models": CATALOGUE},
    ModelScopeJob: {"/openapi/v1/models": SCOPE_PAGE},
}
"""What each source answers by path, when nothing is wrong."""

LISTS = {f"/list/{name}": content for name, content in contents().items()} | {
    f"/list/metadata/{name}": content for name, content in contents().items()
}


def settings_for(url: str) -> Settings:
    return read_settings(
        hf_endpoint=url,
        tracked_models_url=f"{url}/list",
        openrouter_base_url=url,
        openrouter_api_key=SecretStr("key"),
        arena_base_url=url,
        artificial_analysis_base_url=url,
        artificial_analysis_api_key=SecretStr("key"),
        modelscope_endpoint=url,
        derivatives_requests=20,
    )


class RecordingProducer:
    """Accepts records like Kafka."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes]] = []

    async def send_and_wait(self, topic: str, value: bytes, **_: Any) -> None:
        assert len(value) <= 1_000_000
        self.records.append((topic, value))


@pytest.fixture(autouse=True)
def _empty_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collectors' memory is empty: no broker runs here."""

    async def nothing(*_: Any, **__: Any) -> dict[str, Any]:
        return {}

    monkeypatch.setattr("collectors.hub.job.read_models", nothing)
    monkeypatch.setattr("collectors.sources.names_job.read_names", nothing)


async def collect(kind: type[Job], url: str) -> tuple[Outcome | None, list[tuple[str, bytes]]]:
    """Run a collector once; without an outcome if it failed with an expected error."""
    producer = RecordingProducer()
    publisher = Publisher(producer, {topic.name: 4 for topic in TOPICS}, "nowhere")
    job = kind(settings_for(url), request_policy=IMPATIENT)
    try:
        async with asyncio.timeout(30):
            collected = await job.collect(NOW)
            records = await publish(publisher, collected)
    except EXPECTED_ERRORS as error:
        outcome, message = None, str(error)
    else:
        outcome = Outcome.of(job.name, NOW, collected, records)
        log_outcome(outcome)
        message = summary(outcome)
    assert 0 < len(message.encode()) < 3_000
    return outcome, producer.records


def check_records(records: list[tuple[str, bytes]]) -> None:
    kinds = {topic.name: topic.event for topic in TOPICS}
    for topic, value in records:
        event = read_event(kinds[topic], value)
        assert event.to_bytes() == value


def answered(
    server: Scripted, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers, status=status)

    server.answers[path] = answer
    server.requests.clear()


ADDRESSES = [
    "/api/models?cursor=2",
    "",
    "?",
    "http://[::1",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:1/",
    "//127.0.0.1:1/x",
    "mailto:a@b",
    "file:///etc/passwd",
    "javascript:x",
    "http://",
    "http:///x",
    "/\x7f",
    "/ a b",
    "/%zz",
    "http://user:pass@127.0.0.1:1/",
    "http://xn--/",
    "http://" + "a" * 300 + "/",
    "\xff",
    "/" + "x" * 3000,
]
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(
            ["application/json; charset=utf-16", "text/html; charset=nonsense", "x"]
        ),
        "Content-Encoding": st.sampled_from(
            ["gzip", "deflate", "zstd", "br", "gzip, gzip", "nonsense", "identity", "GZIP"]
        ),
        "Link": st.one_of(
            st.sampled_from(ADDRESSES).map(lambda url: f'<{url}>; rel="next"'),
            st.sampled_from(["<", ">", ";;", '<x>;rel="next', "<x>; rel=next; rel=next"]),
        ),
        "Location": st.sampled_from(ADDRESSES),
        "Retry-After": st.sampled_from(
            ["0", "-1", "9" * 5000, "nan", "Wed, 21 Oct 9999 07:28:00 GMT", "Wed, 99 Oct", "\xb2"]
        ),
        "RateLimit": st.sampled_from(
            ['"api";r=0;t=1', '"api";r=9;t=0', "r", '"', '"a";r=0;t=' + "9" * 20]
        ),
        "RateLimit-Policy": st.sampled_from(['"api";q=500;w=300', '"api";q=1;w=' + "9" * 15, '"']),
    },
)
STATUSES = st.sampled_from(
    [200] * 12 + [201, 204, 206, 301, 302, 304, 307, 400, 404, 410, 418, 429, 500, 503]
)


@efforts
@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.name)
def test_run_reports_outcome_or_error_for_any_response(kind: type[Job], effort: int) -> None:
    answers = CASES[kind]
    paths = sorted(answers)

    with asyncio.Runner() as runner:
        context = scripted({})
        server = runner.run(context.__aenter__())

        def restore() -> None:
            server.answers = {
                path: (lambda _, content=content: web.Response(body=content))
                for path, content in LISTS.items()
            } | {path: json.loads(json.dumps(content)) for path, content in answers.items()}

        restore()
        outcome, records = runner.run(collect(kind, server.url))
        assert outcome is not None
        assert records

        def check(drawn: tuple[str, dict[str, Any]]) -> None:
            path, how = drawn
            restore()
            answered(server, path, **how)
            _, records = runner.run(collect(kind, server.url))
            check_records(records)

        wrong = [
            st.tuples(
                st.just(path),
                st.fixed_dictionaries(
                    {
                        "body": mutants([answers[path]]),
                        "headers": st.one_of(st.just({}), HEADERS),
                        "status": STATUSES,
                    }
                ),
            )
            for path in paths
        ]
        explore(st.one_of(wrong), check, examples=6, effort=effort)
        runner.run(context.__aexit__(None, None, None))

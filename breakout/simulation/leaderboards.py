"""Simulated leaderboards: the dataset viewer with Arena's rows, and Artificial Analysis.

Ratings are functions of the invented models and the day: each release of an organisation has a
higher rating than the one before, and some closed models stay ahead of most.

Rows have the types of the real ones, oddities included; a comment has the evidence for each.
"""

import math
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from aiohttp import web

from breakout.simulation.catalog import Catalog, Model
from breakout.simulation.clock import SimulatedClock

ARENA_PREFIX = "/arena"
ARTIFICIAL_ANALYSIS_PREFIX = "/artificial-analysis/api/v2"

CLOSED = {"locked-1": "Keystone", "locked-2": "Keystone", "opus-vault": "Sealed"}
"""Closed models and their vendors."""
UNKNOWN = "mystery-alpha"
"""Rated, but not classified."""
VERSION_CHANGED = datetime(2026, 1, 15, tzinfo=UTC)
"""Start of the index's second version, whose numbers are lower."""

BOARDS = ("text", "text_style_control")
"""Configurations of the dataset that are served, as huggingface.co/datasets/lmarena-ai/
leaderboard-dataset names them; it has more."""

QUOTA = 100
"""Daily requests of a free key. Clients (antoniovho/artificial-analysis-leaderboards) document it
and the names of the headers; that the reset is a Unix time is assumed."""

_CATEGORIES = ("overall", "coding", "hard prompts")
_PAGE = 100
_RATING_DELAY = timedelta(days=10)
"""Time from a model's release to its rating."""


def add_routes(app: web.Application, catalog: Catalog, clock: SimulatedClock) -> None:
    """Add the paths of both leaderboards, as of the clock."""

    async def rows(request: web.Request) -> web.Response:
        board = request.query.get("config", "")
        if board not in BOARDS:
            return web.json_response({"error": "Not found."}, status=404)
        return _viewer(request, list(_arena(catalog, clock.now(), board)))

    requests: Counter[tuple[str, date]] = Counter()

    async def models(request: web.Request) -> web.Response:
        key, now = request.headers.get("x-api-key"), clock.now()
        if not key:
            return web.json_response({"error": "Invalid API key"}, status=401)
        requests[key, now.date()] += 1
        left = QUOTA - requests[key, now.date()]
        response = (
            web.json_response({"error": "Rate limit exceeded"}, status=429)
            if left < 0
            else _index(request, catalog, now)
        )
        response.headers.update(_quota(max(left, 0), now))
        return response

    for path in ("rows", "filter"):
        app.router.add_get(f"{ARENA_PREFIX}/{path}", rows)
    app.router.add_get(f"{ARTIFICIAL_ANALYSIS_PREFIX}/language/models/free", models)


def _quota(left: int, now: datetime) -> dict[str, str]:
    # The client's clock is the real one.
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    reset = time.time() + (tomorrow - now).total_seconds()
    return {
        "X-RateLimit-Limit": str(QUOTA),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": str(math.ceil(reset)),
    }


def reviewed_names(catalog: Catalog) -> Iterator[tuple[str, str, str | None]]:
    """Yield source, name and weights of all invented names but one; null for closed models."""
    for source in ("arena", "artificial-analysis"):
        for model in _rated(catalog):
            yield source, _name(model), model.id
        for name in CLOSED:
            yield source, name, None


def _viewer(request: web.Request, rows: list[dict[str, object]]) -> web.Response:
    # A filtered row keeps its index among all rows: `ROW_IDX_COLUMN` of huggingface/dataset-viewer.
    numbered = list(enumerate(rows))
    if request.path.endswith("/filter"):
        if request.query.get("where") != "\"category\"='overall'":
            return web.json_response({"error": "Parameter 'where' is invalid"}, status=422)
        numbered = [(number, row) for number, row in numbered if row["category"] == "overall"]
    try:
        offset, length = int(request.query["offset"]), int(request.query["length"])
    except (KeyError, ValueError):
        return web.json_response({"error": "Parameter 'offset' is invalid"}, status=422)
    page = [
        {"row_idx": number, "row": row, "truncated_cells": []}
        for number, row in numbered[offset : offset + min(length, _PAGE)]
    ]
    body = {
        "features": [],
        "rows": page,
        "num_rows_total": len(numbered),
        "num_rows_per_page": _PAGE,
        "partial": False,
    }
    return web.json_response(body)


def _arena(catalog: Catalog, now: datetime, board: str) -> Iterator[dict[str, object]]:
    published = now.date()
    published -= timedelta(days=published.weekday())
    # In July 2026 the real one had about 1,113 rows for 185 models, with the same votes and
    # slightly different ratings (daily copies of its clients, such as ukitako1030/EVAL).
    copies = 3 if published.isocalendar().week % 4 == 0 else 1
    for category in _CATEGORIES:
        for name, maker, is_open, skill in _skills(catalog, now):
            luck = zlib.crc32(name.encode())
            rating = 1200 + 3 * skill + (0 if category == "overall" else 20)
            # Style control moves a model by some places: rank 3 at 1493 became 1 at 1507.
            rating += luck % 21 - 10 if board != BOARDS[0] else 0
            for copy in range(copies):
                yield _rated_row(name, maker, rating + copy / 8, luck) | {
                    "license": "Apache 2.0" if is_open else "Proprietary",
                    "category": category,
                    "leaderboard_publish_date": published.isoformat(),
                }


def _rated_row(name: str, maker: str, rating: float, luck: int) -> dict[str, object]:
    # Counts are doubles (`"vote_count": 4932.0`) in the rows that ukitako1030/EVAL keeps, up to
    # 2026-10-02; the organisation is '' for 63 of the 434 models of its history. Ends of the
    # interval may be null in the schema that other clients check their saved rows against.
    bounded = luck % 50 != 0
    return {
        "model_name": name,
        "organization": "" if luck % 7 == 0 else maker,
        "rating": rating,
        "rating_lower": rating - 5 if bounded else None,
        "rating_upper": rating + 5 if bounded else None,
        "variance": 6.5,
        "vote_count": float(1000 + luck % 30_000),
        "rank": 1.0,
    }


def _index(request: web.Request, catalog: Catalog, now: datetime) -> web.Response:
    second = now >= VERSION_CHANGED
    size = min(int(request.query.get("page_size", "200")), 200)
    number = int(request.query.get("page", "1"))
    items = [
        _item(name, maker, skill * (0.35 if second else 0.5))
        for name, maker, _, skill in _skills(catalog, now)
    ]
    pages = -(-len(items) // size)
    return web.json_response(
        {
            "tier": "free",
            "intelligence_index_version": 4.1 if second else 4.0,
            "pagination": {
                "page": number,
                "page_size": size,
                "total_pages": pages,
                "has_more": number < pages,
            },
            "data": items[(number - 1) * size : number * size],
        }
    )


def _item(name: str, maker: str, index: float) -> dict[str, object]:
    # The agentic index is null for most models, and so is the coding index for some, in the daily
    # copies of antoniovho/artificial-analysis-leaderboards; prices and speed are not read.
    luck = zlib.crc32(name.encode())
    return {
        "id": f"{luck:032x}",
        "name": name,
        "slug": name,
        "model_creator": {"id": maker, "name": maker, "slug": maker.lower()},
        "evaluations": {
            "artificial_analysis_intelligence_index": round(index, 1),
            "artificial_analysis_coding_index": round(index * 0.9, 1) if luck % 10 else None,
            "artificial_analysis_agentic_index": None,
        },
        "pricing": {"price_1m_input_tokens": 0.5, "price_1m_output_tokens": None},
        "performance": {"median_output_tokens_per_second": 0},
        "release_date": None,
    }


def _skills(catalog: Catalog, now: datetime) -> Iterator[tuple[str, str, bool, float]]:
    """Yield name, maker, open, and a skill from about 0 to 100."""
    for model in _rated(catalog):
        if model.public_at + _RATING_DELAY <= now:
            yield _name(model), model.org, True, _skill(model.id, model.public_at)
    for name, maker in CLOSED.items():
        yield name, maker, False, _skill(name, now - timedelta(days=60)) + 4
    yield UNKNOWN, "Stranger", False, 20.0


def _skill(name: str, at: datetime) -> float:
    years = (at - datetime(2024, 1, 1, tzinfo=UTC)) / timedelta(days=365)
    return 15 + 22 * years + zlib.crc32(name.encode()) % 200 / 10


def _rated(catalog: Catalog) -> Iterator[Model]:
    """Yield the rated models: every third tracked one, by its name."""
    for model in catalog.models:
        if model.tracked_in is not None and zlib.crc32(model.id.encode()) % 3 == 0:
            yield model


def _name(model: Model) -> str:
    return model.id.partition("/")[2].lower()

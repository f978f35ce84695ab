"""Simulated leaderboards: the dataset viewer with Arena's rows, and Artificial Analysis.

Ratings are functions of the invented models and the day: each release of an organisation is
rated better than its last, and some closed models stay ahead of most.
"""

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from aiohttp import web

from breakout.simulation.catalog import Catalog, Model
from breakout.simulation.clock import SimulatedClock

ARENA_PREFIX = "/arena"
ARTIFICIAL_ANALYSIS_PREFIX = "/artificial-analysis/api/v2"

CLOSED = {"locked-1": "Keystone", "locked-2": "Keystone", "opus-vault": "Sealed"}
"""Closed models and who makes them."""
UNKNOWN = "mystery-alpha"
"""Rated, and classified by nobody."""
VERSION_CHANGED = datetime(2026, 1, 15, tzinfo=UTC)
"""From here on the index has its second version, whose numbers are lower."""

_CATEGORIES = ("overall", "coding", "hard prompts")
_PAGE = 100
_LATE = timedelta(days=10)
"""A model is rated so long after its release."""


def add_routes(app: web.Application, catalog: Catalog, clock: SimulatedClock) -> None:
    """Serve both leaderboards' paths, as of the clock."""

    async def rows(request: web.Request) -> web.Response:
        return _viewer(request, list(_arena(catalog, clock.now())))

    async def models(request: web.Request) -> web.Response:
        if not request.headers.get("x-api-key"):
            return web.json_response({"error": "Invalid API key"}, status=401)
        return _index(request, catalog, clock.now())

    for path in ("rows", "filter"):
        app.router.add_get(f"{ARENA_PREFIX}/{path}", rows)
    app.router.add_get(f"{ARTIFICIAL_ANALYSIS_PREFIX}/language/models/free", models)


def reviewed_names(catalog: Catalog) -> Iterator[tuple[str, str, str | None]]:
    """Yield source, name and weights of every invented name but one; null for closed ones."""
    for source in ("arena", "artificial-analysis"):
        for model in _rated(catalog):
            yield source, _name(model), model.id
        for name in CLOSED:
            yield source, name, None


def _viewer(request: web.Request, rows: list[dict[str, object]]) -> web.Response:
    filtered = request.path.endswith("/filter")
    if filtered:
        if request.query.get("where") != "\"category\"='overall'":
            return web.json_response({"error": "Parameter 'where' is invalid"}, status=422)
        rows = [row for row in rows if row["category"] == "overall"]
    try:
        offset, length = int(request.query["offset"]), int(request.query["length"])
    except (KeyError, ValueError):
        return web.json_response({"error": "Parameter 'offset' is invalid"}, status=422)
    page = [
        {"row_idx": offset + number, "row": row, "truncated_cells": []}
        for number, row in enumerate(rows[offset : offset + min(length, _PAGE)])
    ]
    answer = {
        "features": [],
        "rows": page,
        "num_rows_total": len(rows),
        "num_rows_per_page": _PAGE,
        "partial": False,
    }
    return web.json_response(answer)


def _arena(catalog: Catalog, now: datetime) -> Iterator[dict[str, object]]:
    published = now.date()
    published -= timedelta(days=published.weekday())
    for category in _CATEGORIES:
        for name, maker, is_open, skill in _skills(catalog, now):
            rating = 1200 + 3 * skill + (0 if category == "overall" else 20)
            yield {
                "model_name": name,
                "organization": maker,
                "license": "Apache 2.0" if is_open else "Proprietary",
                "rating": rating,
                "rating_lower": rating - 5,
                "rating_upper": rating + 5,
                "variance": 6.5,
                "vote_count": 1000 + zlib.crc32(name.encode()) % 30_000,
                "rank": 1,
                "category": category,
                "leaderboard_publish_date": published.isoformat(),
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
    return {
        "id": f"{zlib.crc32(name.encode()):032x}",
        "name": name,
        "slug": name,
        "model_creator": {"id": maker, "name": maker, "slug": maker.lower()},
        "evaluations": {
            "artificial_analysis_intelligence_index": round(index, 1),
            "artificial_analysis_coding_index": round(index * 0.9, 1),
            "artificial_analysis_agentic_index": None,
        },
    }


def _skills(catalog: Catalog, now: datetime) -> Iterator[tuple[str, str, bool, float]]:
    """Yield name, maker, open, and a skill from about 0 to 100."""
    for model in _rated(catalog):
        if model.public_at + _LATE <= now:
            yield _name(model), model.org, True, _skill(model.id, model.public_at)
    for name, maker in CLOSED.items():
        yield name, maker, False, _skill(name, now - timedelta(days=60)) + 4
    yield UNKNOWN, "Stranger", False, 20.0


def _skill(name: str, at: datetime) -> float:
    years = (at - datetime(2024, 1, 1, tzinfo=UTC)) / timedelta(days=365)
    return 15 + 22 * years + zlib.crc32(name.encode()) % 200 / 10


def _rated(catalog: Catalog) -> Iterator[Model]:
    """Yield the models somebody rates: every third tracked one, by its name."""
    for model in catalog.models:
        if model.tracked_in is not None and zlib.crc32(model.id.encode()) % 3 == 0:
            yield model


def _name(model: Model) -> str:
    return model.id.partition("/")[2].lower()

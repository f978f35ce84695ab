"""A simulated OpenRouter: tokens by model and day, and its catalogue of names.

Tokens are a function of the invented models and the day. The newest days are counted a little low
at first and completely two days later, so that a later response corrects them.
"""

import math
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from aiohttp import hdrs, web

from breakout.simulation.catalog import Catalog, Model
from breakout.simulation.clock import SimulatedClock

PREFIX = "/openrouter/api/v1"
FLOOR = date(2025, 1, 1)
NAMED = 50
"""Most names a day in a response; the rest is `other`."""

CLOSED = ("sealed/opus-vault", "sealed/vault-mini", "keystone/locked-1", "keystone/locked-2")
UNCLASSIFIED = "stranger/mystery-alpha"
"""A name that is not classified."""

_DAY = timedelta(days=1)
_TOKENS_A_DAY = 10**12
_LONGEST_SPAN_DAYS = 366


def add_routes(app: web.Application, catalog: Catalog, clock: SimulatedClock) -> None:
    """Add OpenRouter's paths below `PREFIX`, as of the clock."""

    async def rankings(request: web.Request) -> web.Response:
        return _refused(request) or _rankings(request, catalog, clock.now())

    async def models(_request: web.Request) -> web.Response:
        return web.json_response({"data": list(_catalogue(catalog, clock.now()))})

    app.router.add_get(f"{PREFIX}/datasets/rankings-daily", rankings)
    app.router.add_get(f"{PREFIX}/models", models)


def reviewed_names(catalog: Catalog) -> Iterator[tuple[str, str, str | None]]:
    """Yield source, name and weights of all invented names but one; null for closed models."""
    for model in _served(catalog):
        yield "openrouter", _slug(model), model.id
    for name in CLOSED:
        yield "openrouter", name, None


def _refused(request: web.Request) -> web.Response | None:
    if not request.headers.get(hdrs.AUTHORIZATION, "").startswith("Bearer "):
        return _error(401, "Missing Authentication header")
    return None


def _rankings(request: web.Request, catalog: Catalog, now: datetime) -> web.Response:
    last = now.date() - _DAY
    try:
        end = date.fromisoformat(request.query.get("end_date", last.isoformat()))
        start = date.fromisoformat(request.query.get("start_date", (end - 30 * _DAY).isoformat()))
    except ValueError:
        return _error(400, "Invalid request parameters")
    if end < FLOOR or start > end or (end - max(start, FLOOR)).days >= _LONGEST_SPAN_DAYS:
        return _error(400, "Invalid request parameters")
    start = max(start, FLOOR)
    rows = []
    for number in range((min(end, last) - start).days + 1):
        rows += _day(catalog, start + number * _DAY, now)
    as_of = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    meta = {
        "as_of": as_of,
        "start_date": start.isoformat(),
        "end_date": end.isoformat(),
        "version": "v1",
    }
    return web.json_response({"data": rows, "meta": meta})


def _day(catalog: Catalog, day: date, now: datetime) -> list[dict[str, str]]:
    counted = sorted(_tokens(catalog, day, now), key=lambda one: (-one[1], one[0]))
    named, tail = counted[:NAMED], counted[NAMED:]
    rest = sum(tokens for _, tokens in tail)
    listed = [*named, *([("other", rest)] if rest else [])]
    return [
        {"date": day.isoformat(), "model_permaslug": name, "total_tokens": str(tokens)}
        for name, tokens in listed
    ]


def _tokens(catalog: Catalog, day: date, now: datetime) -> Iterator[tuple[str, int]]:
    """Yield every name's tokens: open models rise and fade, closed ones lose share slowly."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    counted_share = 1.0 if now - midnight >= 3 * _DAY else 0.93
    years = (day - FLOOR).days / 365.25
    for model in _served(catalog):
        age = (midnight - model.public_at).days
        if age < 0:
            continue
        weight = _luck(model.id) ** 3 * (1 + age / 10) * math.exp(-age / 120) * (0.6 + 0.5 * years)
        tokens = int(_TOKENS_A_DAY / 20 * weight * _noise(model.id, day) * counted_share)
        if tokens:
            yield _slug(model), tokens
        if tokens > _TOKENS_A_DAY // 1000 and _luck(model.id + ":free") > 0.6:  # noqa: PLR2004
            yield f"{_slug(model)}:free", tokens // 7
    for number, name in enumerate(CLOSED, start=1):
        yield name, int(_TOKENS_A_DAY / (number + 1) / 2 * _noise(name, day) * counted_share)
    yield UNCLASSIFIED, int(_TOKENS_A_DAY / 150 * _noise(UNCLASSIFIED, day) * counted_share)


def _catalogue(catalog: Catalog, now: datetime) -> Iterator[dict[str, object]]:
    for model in _served(catalog):
        if model.public_at <= now:
            yield _row(_slug(model), model.id.partition("/")[2], model.id, model.public_at)
    for name in (*CLOSED, UNCLASSIFIED):
        yield _row(name, name.partition("/")[2], None, datetime(2025, 1, 1, tzinfo=UTC))


def _row(slug: str, name: str, hub_id: str | None, created: datetime) -> dict[str, object]:
    # Closed models have "hugging_face_id": "" in copies of openrouter.ai/api/v1/models (that of
    # GPT-4 in getsentry/sentry); null is what the published OpenAPI description allows.
    return {
        "id": slug,
        "canonical_slug": slug,
        "hugging_face_id": hub_id or "",
        "name": name,
        "created": int(created.timestamp()),
        "context_length": 131_072,
        "description": "",
        "knowledge_cutoff": None,
        "per_request_limits": None,
        "pricing": {"prompt": "0.0000001", "completion": "0.0000004", "image": "0", "request": "0"},
    }


def _served(catalog: Catalog) -> Iterator[Model]:
    """Yield the served models: every fourth tracked one, by its name."""
    for model in catalog.models:
        if model.tracked_in is not None and zlib.crc32(model.id.encode()) % 4 == 0:
            yield model


def _slug(model: Model) -> str:
    return model.id.lower()


def _luck(text: str) -> float:
    return zlib.crc32(text.encode()) % 1000 / 1000


def _noise(name: str, day: date) -> float:
    return 0.9 + 0.2 * _luck(f"{name} {day}")


def _error(code: int, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=code)

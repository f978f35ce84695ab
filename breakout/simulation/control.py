"""Paths below /simulation, by which another process controls the simulated Hub."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from breakout.simulation import responses
from breakout.simulation.clock import SimulatedClock

_Counters = dict[str, list[tuple[AwareDatetime, int | None, int | None]]]
_COUNTERS: TypeAdapter[_Counters] = TypeAdapter(_Counters)

Handler = Callable[[web.Request], Awaitable[web.Response]]


class _ClockSetting(BaseModel):
    model_config = ConfigDict(extra="forbid")

    now: AwareDatetime
    speed: float | None = Field(None, ge=0, allow_inf_nan=False)


def add_routes(
    app: web.Application, clock: SimulatedClock, set_counters: Callable[[Any], None]
) -> None:
    """Add the paths: clock (GET, POST), counters (POST).

    The response to an invalid body is 400 with the reason in `error`.
    """

    async def read_clock(_request: web.Request) -> web.Response:
        return responses.ok({"now": clock.now().isoformat(), "speed": clock.speed})

    async def set_clock(request: web.Request) -> web.Response:
        setting = _ClockSetting.model_validate(await _body(request))
        clock.set(setting.now, speed=setting.speed)
        return await read_clock(request)

    async def counters(request: web.Request) -> web.Response:
        series = _COUNTERS.validate_python(await _body(request))
        set_counters(series)
        return responses.ok({"models": len(series)})

    app.router.add_get("/simulation/clock", read_clock)
    app.router.add_post("/simulation/clock", _checked(set_clock))
    app.router.add_post("/simulation/counters", _checked(counters))


def _checked(handler: Handler) -> Handler:
    async def respond(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "body"
            return responses.error(400, f"{where}: {first['msg']}")
        except ValueError as error:
            return responses.error(400, str(error))

    return respond


async def _body(request: web.Request) -> object:
    try:
        return json.loads(await request.read())
    except ValueError:
        raise ValueError("the body must be JSON") from None

"""Paths below /simulation, by which another process steers the simulated Hub."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from breakout.simulation import answers
from breakout.simulation.clock import SimulatedClock
from breakout.simulation.faults import Faults

_Counters = dict[str, list[tuple[AwareDatetime, int | None, int | None]]]
_COUNTERS: TypeAdapter[_Counters] = TypeAdapter(_Counters)

Handler = Callable[[web.Request], Awaitable[web.Response]]


class _ClockSetting(BaseModel):
    model_config = ConfigDict(extra="forbid")

    now: AwareDatetime
    speed: float | None = Field(None, ge=0, allow_inf_nan=False)


def add_routes(
    app: web.Application,
    clock: SimulatedClock,
    faults: Faults,
    set_counters: Callable[[Any], None],
) -> None:
    """Add the paths: clock (GET, POST), faults (GET, POST, DELETE), counters (POST).

    What cannot be used is answered 400 with `error` saying what would be right.
    """

    async def read_clock(_request: web.Request) -> web.Response:
        return answers.ok({"now": clock.now().isoformat(), "speed": clock.speed})

    async def set_clock(request: web.Request) -> web.Response:
        setting = _ClockSetting.model_validate(await _body(request))
        clock.set(setting.now, speed=setting.speed)
        return await read_clock(request)

    async def read_faults(_request: web.Request) -> web.Response:
        return answers.ok([fault.model_dump() for fault in faults.active()])

    async def add_faults(request: web.Request) -> web.Response:
        faults.add_json(await _body(request))
        return await read_faults(request)

    async def clear_faults(request: web.Request) -> web.Response:
        faults.clear()
        return await read_faults(request)

    async def counters(request: web.Request) -> web.Response:
        series = _COUNTERS.validate_python(await _body(request))
        set_counters(series)
        return answers.ok({"models": len(series)})

    app.router.add_get("/simulation/clock", read_clock)
    app.router.add_post("/simulation/clock", _checked(set_clock))
    app.router.add_get("/simulation/faults", read_faults)
    app.router.add_post("/simulation/faults", _checked(add_faults))
    app.router.add_delete("/simulation/faults", clear_faults)
    app.router.add_post("/simulation/counters", _checked(counters))


def _checked(handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "body"
            return answers.error(400, f"{where}: {first['msg']}")
        except ValueError as error:
            return answers.error(400, str(error))

    return answer


async def _body(request: web.Request) -> object:
    try:
        return json.loads(await request.read())
    except ValueError:
        raise ValueError("the body must be JSON") from None

"""Queries about one model each that wait for a slot together run as one.

After a scrape all responses are first ones again. ClickHouse plans a query for longer than it reads
one model more, so a client whose turn it is takes along models that others wait for.
"""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, cast

from api.paging import LIMIT
from api.queries import Values
from breakout.observability.metrics import API_SHARED

MOST_MODELS = 20
"""Models of a query: bounds the memory of its response, two years of days of each."""
_MODEL = re.compile(rb'"model_id":("(?:[^"\\]|\\.)*")')
"""The column of a line of JSON. In a text its quotes would be escaped."""


@dataclass(eq=False)
class _Waiter:
    model: str
    lines: asyncio.Future[bytes] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class ModelBatches:
    """`slot` is what a query waits for and holds, `fetch` runs it."""

    def __init__(
        self,
        slot: Callable[[], AbstractAsyncContextManager[Any]],
        fetch: Callable[[str, Values], Coroutine[Any, Any, bytes]],
    ) -> None:
        self._slot, self._fetch = slot, fetch
        # By query and its other parameters.
        self._waiting: dict[tuple[str, str], list[_Waiter]] = {}

    async def lines(self, sql: str, values: Values) -> bytes:
        """Return the lines of JSON of a query about one model, the only one in `model`.

        Its rows have the column `model_id`. Raises what `slot` and `fetch` raise.
        """
        (model,) = cast("list[str]", values["model"])
        key = sql, json.dumps({**values, "model": None}, sort_keys=True)
        waiter = _Waiter(model)
        self._waiting.setdefault(key, []).append(waiter)
        turn = asyncio.create_task(self._take_turn(key, values, waiter))
        either: set[asyncio.Future[Any]] = {turn, waiter.lines}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self._is_waiting(key, waiter):
                self._remove(key, [waiter])
                turn.cancel()
        if waiter.lines.done():
            turn.cancel()
            return waiter.lines.result()
        # No slot: it raises. Else somebody has taken the model along.
        await turn
        return await waiter.lines

    async def _take_turn(self, key: tuple[str, str], values: Values, waiter: _Waiter) -> None:
        async with self._slot():
            if not self._is_waiting(key, waiter):
                return
            batch = self._chosen(key, waiter)
            self._remove(key, batch)
            await self._run(key[0], values, batch)

    async def _run(self, sql: str, values: Values, batch: Sequence[_Waiter]) -> None:
        models = list(dict.fromkeys(one.model for one in batch))
        API_SHARED.inc(len(batch) - 1)
        if len(models) > 1:
            sql = sql.replace(LIMIT, f"{LIMIT} BY model_id")
        try:
            found = _by_model(await self._fetch(sql, {**values, "model": models}), models)
        except BaseException as error:
            for one in batch:
                if not one.lines.done():
                    one.lines.set_exception(error)
                    # Retrieved, for one whose client has gone.
                    one.lines.exception()
            if not isinstance(error, Exception):
                raise
            return
        for one in batch:
            if not one.lines.done():
                one.lines.set_result(found[one.model])

    def _is_waiting(self, key: tuple[str, str], waiter: _Waiter) -> bool:
        return waiter in self._waiting.get(key, ())

    def _chosen(self, key: tuple[str, str], waiter: _Waiter) -> list[_Waiter]:
        """Return a waiter, and those of the other models that have waited longest."""
        models = {waiter.model}
        for one in self._waiting[key]:
            if len(models) < MOST_MODELS:
                models.add(one.model)
        return [one for one in self._waiting[key] if one.model in models]

    def _remove(self, key: tuple[str, str], waiters: Sequence[_Waiter]) -> None:
        rest = [one for one in self._waiting[key] if one not in waiters]
        if rest:
            self._waiting[key] = rest
        else:
            del self._waiting[key]


def _by_model(lines: bytes, models: Sequence[str]) -> Mapping[str, bytes]:
    """Return the lines of each model."""
    if len(models) == 1:
        return {models[0]: lines}
    found: dict[str, list[bytes]] = {model: [] for model in models}
    of_quoted: dict[bytes, list[bytes]] = {}
    for line in lines.splitlines(keepends=True):
        if (match := _MODEL.search(line)) is None:
            raise ValueError(f"row without model_id: {line!r}")
        quoted = match[1]
        if quoted not in of_quoted:
            of_quoted[quoted] = found[json.loads(quoted)]
        of_quoted[quoted].append(line)
    return {model: b"".join(of_model) for model, of_model in found.items()}

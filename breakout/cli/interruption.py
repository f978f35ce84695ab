"""Ctrl-C and SIGTERM, for commands that stop their processes in order."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import click

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def until_interrupted(
    run: Callable[[AsyncExitStack], Coroutine[Any, Any, None]], *, farewell: str
) -> int:
    """Run to the end or to SIGINT, SIGTERM or SIGHUP, then unwind the stack passed to `run`.

    Returns the exit code: 0, or 128 plus the number of the signal. Prints `farewell` when
    interrupted. A second Ctrl-C exits immediately; the children end with their parent.
    """
    loop = asyncio.get_running_loop()
    received: asyncio.Future[signal.Signals] = loop.create_future()

    def interrupt(number: signal.Signals) -> None:
        if not received.done():
            received.set_result(number)
        elif number == signal.SIGINT:
            os._exit(128 + number)

    # A program under nohup keeps running when its terminal closes.
    signals = [n for n in SIGNALS if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
    for number in signals:
        loop.add_signal_handler(number, interrupt, number)
    try:
        async with AsyncExitStack() as stack:
            running = asyncio.create_task(run(stack))
            either: set[asyncio.Future[Any]] = {running, received}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                click.echo(farewell, err=True)
                running.cancel()
            (outcome,) = await asyncio.gather(running, return_exceptions=True)
            if isinstance(outcome, Exception):
                raise _first(outcome)
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
    return 128 + received.result() if received.done() else 0


def _first(error: Exception) -> Exception:
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error

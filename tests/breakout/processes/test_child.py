"""Child processes: readiness, probes, restarts, and stopping."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from breakout.processes import child as child_module
from breakout.processes.child import ChildProcess, running
from breakout.processes.errors import ProcessError
from breakout.processes.program import (
    Program,
    RestartPolicy,
    changed_environment,
    server_environment,
)

SLEEP = "import time; time.sleep(600)"
AT_ONCE = RestartPolicy(first_pause=0)


def python(code: str, tmp_path: Path, **options: object) -> Program:
    values = {"environment": changed_environment({}), "log": tmp_path / "log", **options}
    return Program("the program", [sys.executable, "-c", code], **values)  # type: ignore[arg-type]


async def always() -> bool:
    return True


async def never() -> bool:
    return False


@asynccontextmanager
async def kept_running(program: Program) -> AsyncIterator[ChildProcess]:
    async with running(program) as child:
        restarts = asyncio.create_task(child.keep_running())
        yield child
        restarts.cancel()
        with suppress(asyncio.CancelledError):
            await restarts


async def until_replaced(child: ChildProcess, pid: int) -> None:
    async with asyncio.timeout(60):
        while child.pid == pid:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_first_line_and_output_are_pipes(tmp_path: Path) -> None:
    echo = "import sys; [print(line, end='', flush=True) for line in sys.stdin]"
    async with running(python(echo, tmp_path, first_line="one", pipe_output=True)) as child:
        await child.write("two\n")
        assert [await child.output.readline() for _ in range(2)] == [b"one\n", b"two\n"]


async def test_first_line_is_not_shown(tmp_path: Path) -> None:
    assert "secret" not in repr(python(SLEEP, tmp_path, first_line="secret"))


async def test_exit_while_starting_raises_with_end_of_log(tmp_path: Path) -> None:
    program = python("import sys; sys.exit('no such volume')", tmp_path, ready=never)
    with pytest.raises(ProcessError, match=r"exited with code 1 while.* \S+log:\nno such volume"):
        await ChildProcess(program).start()


async def test_program_that_is_never_ready_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "START_SECONDS", 0.1)
    child = ChildProcess(python(SLEEP, tmp_path, ready=never))
    with pytest.raises(ProcessError, match=r"the program did not respond within 0 s"):
        await child.start()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


async def test_killed_program_is_restarted(tmp_path: Path) -> None:
    async with kept_running(python(SLEEP, tmp_path, restarts=AT_ONCE)) as child:
        pid = child.pid
        os.kill(pid, signal.SIGKILL)
        await until_replaced(child, pid)
        os.kill(child.pid, 0)


async def test_program_that_stops_responding_is_killed_and_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "PROBE_SECONDS", 0.02)
    results = iter([False, False, True, False, False, False])

    async def alive() -> bool:
        return next(results, True)

    async with kept_running(python(SLEEP, tmp_path, restarts=AT_ONCE, alive=alive)) as child:
        await until_replaced(child, child.pid)
        # Two failures in a row are not enough, three are
        assert next(results, None) is None


async def test_repeated_early_exits_are_an_error(tmp_path: Path) -> None:
    policy = RestartPolicy(first_pause=0, max_early_failures=3)
    child = ChildProcess(python("print('run'); raise SystemExit(7)", tmp_path, restarts=policy))
    await child.start()
    with pytest.raises(ProcessError, match=r"exited 3 times within 60 s .* last with code 7"):
        await child.keep_running()
    assert (tmp_path / "log").read_text() == "run\n" * 3


def test_pause_doubles_up_to_the_longest() -> None:
    policy = RestartPolicy()
    assert [policy.pause(failures) for failures in (0, 1, 2, 5, 10_000)] == [1, 2, 4, 30, 30]


async def test_process_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "STOP_SECONDS", 0.1)
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True)"
    program = python(f"{ignore}; {SLEEP}", tmp_path, pipe_output=True)
    child = ChildProcess(program)
    await child.start()
    assert await child.output.readline() == b"1\n"
    await child.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


def test_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert "HF_TOKEN" not in server_environment()
    assert server_environment()["LANG"] == "C.UTF-8"
    changed = changed_environment({"HF_TOKEN": None, "BREAKOUT_GROUP": "g"})
    assert "HF_TOKEN" not in changed
    assert changed["BREAKOUT_GROUP"] == "g"

"""Both servers together: start, stop, and everything that keeps them from running."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from breakout.clickhouse.local_login import local_password
from breakout.local.broker import broker_responds
from breakout.local.errors import EmbeddedError
from breakout.local.runtime import EmbeddedOptions, embedded_servers
from breakout.processes.errors import ProcessError
from tests.support.server_process import free_port
from tests.support.waiting import wait_until

PROGRAM = """
import asyncio, sys
from pathlib import Path
from breakout.cli.interruption import until_interrupted
from breakout.local.runtime import EmbeddedOptions, embedded_servers
from breakout.processes.errors import ProcessError

async def run(stack):
    options = EmbeddedOptions(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    servers = await stack.enter_async_context(embedded_servers(options))
    print("ready", servers.broker.pid, servers.clickhouse.pid, flush=True)
    await servers.keep_running()

try:
    code = asyncio.run(until_interrupted(run, farewell="stopping"))
except ProcessError as error:
    sys.exit(f"failed: {error}")
print("stopped")
sys.exit(code)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Running:
    """`embedded_servers` in a process, with the process ids of its two servers."""

    def __init__(self, options: EmbeddedOptions) -> None:
        self.process = subprocess.Popen(
            (
                *(sys.executable, "-c", PROGRAM, str(options.data_dir)),
                *(str(options.kafka_port), str(options.clickhouse_port)),
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready"), line + self.process.stdout.read()
        _, broker, clickhouse = line.split()
        self.broker, self.clickhouse = int(broker), int(clickhouse)
        password = local_password(options.data_dir, options.clickhouse_port, "default")
        assert password is not None
        login = f"default:{password.get_secret_value()}"
        self.url = f"http://{login}@127.0.0.1:{options.clickhouse_port}"

    def finish(self) -> tuple[int, str]:
        """Exit code and the rest of the output."""
        output, _ = self.process.communicate(timeout=30)
        return self.process.returncode, output


@contextmanager
def running(options: EmbeddedOptions) -> Iterator[Running]:
    program = Running(options)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.process.kill()
            program.process.communicate()


@pytest.fixture
def options(tmp_path: Path) -> EmbeddedOptions:
    return EmbeddedOptions(tmp_path / "data", free_port(), free_port())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stops_in_order_on_a_signal(options: EmbeddedOptions, number: int) -> None:
    with running(options) as program:
        assert httpx.get(f"{program.url}/ping").text == "Ok.\n"
        program.process.send_signal(number)
        assert program.finish() == (128 + number, "stopping\nstopped\n")
        assert not alive(program.broker)
        assert not alive(program.clickhouse)


@pytest.mark.fault
def test_servers_die_with_a_killed_parent_and_start_again(options: EmbeddedOptions) -> None:
    with running(options) as first:
        httpx.post(first.url, content="CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
        httpx.post(first.url, content="INSERT INTO t VALUES (7)").raise_for_status()
        first.process.kill()
        first.process.communicate()
        # At once, while the servers of the killed one may still be there
        with running(options) as second:
            assert httpx.post(second.url, content="SELECT a FROM t").text == "7\n"
            wait_until(
                "the first servers end",
                lambda: not alive(first.broker) and not alive(first.clickhouse),
            )
            second.process.send_signal(signal.SIGTERM)
            assert second.finish() == (128 + signal.SIGTERM, "stopping\nstopped\n")


@pytest.mark.fault
def test_a_dead_server_is_started_again(options: EmbeddedOptions) -> None:
    with running(options) as program:
        httpx.post(program.url, content="CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
        httpx.post(program.url, content="INSERT INTO t VALUES (7)").raise_for_status()
        os.kill(program.clickhouse, signal.SIGKILL)
        os.kill(program.broker, signal.SIGKILL)

        def rows() -> str:
            try:
                return httpx.post(program.url, content="SELECT a FROM t").text
            except httpx.HTTPError:
                return ""

        wait_until("ClickHouse is back", lambda: rows() == "7\n")
        wait_until("the broker is back", lambda: asyncio.run(broker_responds(options.kafka_port)))
        program.process.send_signal(signal.SIGTERM)
        code, output = program.finish()
        assert code == 128 + signal.SIGTERM
        assert output.count("process exited, restarting it") == 2


@pytest.mark.fault
def test_a_server_that_answers_no_more_is_started_again(options: EmbeddedOptions) -> None:
    """As after a crash in one of its threads, which leaves a process that heeds nothing."""
    with running(options) as program:
        httpx.post(program.url, content="CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
        httpx.post(program.url, content="INSERT INTO t VALUES (7)").raise_for_status()
        os.kill(program.clickhouse, signal.SIGSTOP)

        def rows() -> str:
            try:
                return httpx.post(program.url, content="SELECT a FROM t", timeout=1).text
            except httpx.HTTPError:
                return ""

        wait_until("ClickHouse is back", lambda: rows() == "7\n", seconds=120)
        assert not alive(program.clickhouse)
        assert alive(program.broker)
        program.process.send_signal(signal.SIGTERM)
        code, output = program.finish()
        assert code == 128 + signal.SIGTERM
        assert "process does not respond, killing it" in output


@pytest.mark.fault
def test_a_crash_under_load_loses_nothing_confirmed(options: EmbeddedOptions) -> None:
    """SIGSEGV, as the engine's own: others wait for seconds and find all that was confirmed."""
    with running(options) as program:
        httpx.post(program.url, content="CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
        confirmed: list[int] = []
        over = threading.Event()

        def done(statement: str) -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return httpx.post(program.url, content=statement).status_code == 200
            over.wait(0.1)
            return False

        def write() -> None:
            numbers = itertools.takewhile(lambda _: not over.is_set(), itertools.count())
            confirmed.extend(n for n in numbers if done(f"INSERT INTO t VALUES ({n})"))

        def read() -> None:
            while not over.is_set():
                done("SELECT * FROM numbers(10000000)")

        others = [threading.Thread(target=work) for work in (write, read, read)]
        for thread in others:
            thread.start()
        try:
            wait_until("rows are written", lambda: len(confirmed) > 20)
            os.kill(program.clickhouse, signal.SIGSEGV)
            before = len(confirmed)
            wait_until("rows are written again", lambda: len(confirmed) > before + 20, seconds=120)
        finally:
            over.set()
            for thread in others:
                thread.join()
        found = httpx.post(program.url, content="SELECT a FROM t ORDER BY a").text.split()
        assert set(map(int, found)) >= set(confirmed)
        assert not alive(program.clickhouse)


@pytest.mark.fault
def test_a_broker_is_not_killed_for_its_silence(options: EmbeddedOptions) -> None:
    """It would lose all that it holds; a machine that is busy for a while must not cost that."""
    with running(options) as program:
        os.kill(program.broker, signal.SIGSTOP)
        os.kill(program.clickhouse, signal.SIGSTOP)
        wait_until("ClickHouse is killed", lambda: not alive(program.clickhouse), seconds=120)
        os.kill(program.broker, signal.SIGCONT)
        wait_until("the broker answers", lambda: asyncio.run(broker_responds(options.kafka_port)))
        assert alive(program.broker)


@pytest.mark.fault
def test_a_server_that_dies_at_once_again_and_again_ends_it(options: EmbeddedOptions) -> None:
    with running(options) as program:
        parent = program.process.pid
        deadline = time.monotonic() + 60
        while program.process.poll() is None and time.monotonic() < deadline:
            for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
                command = Path(f"/proc/{child}/cmdline").read_text()
                if "--listener-url" in command:
                    os.kill(int(child), signal.SIGKILL)
            time.sleep(0.2)
        code, output = program.finish()
        assert code == 1
        assert "failed: the Kafka broker" in output
        assert not alive(program.clickhouse)


async def test_the_block_starts_and_stops_both(options: EmbeddedOptions) -> None:
    async with embedded_servers(options) as servers:
        assert await broker_responds(options.kafka_port)
        assert servers.kafka_bootstrap_servers == f"127.0.0.1:{options.kafka_port}"
        async with httpx.AsyncClient(base_url=servers.clickhouse_url) as http:
            assert (await http.get("/ping")).text == "Ok.\n"
    assert not await broker_responds(options.kafka_port)


async def test_second_instance_is_told_which_process_is_in_the_way(
    options: EmbeddedOptions,
) -> None:
    with running(options) as program:
        other = EmbeddedOptions(options.data_dir, free_port(), free_port())
        with pytest.raises(EmbeddedError, match=rf"process {program.process.pid}.*BREAKOUT_DATA"):
            async with embedded_servers(other):
                pass


@pytest.mark.parametrize(
    ("taken", "variable"),
    [("kafka_port", "KAFKA_BOOTSTRAP_SERVERS"), ("clickhouse_port", "CLICKHOUSE_URL")],
)
async def test_port_in_use(options: EmbeddedOptions, taken: str, variable: str) -> None:
    port = getattr(options, taken)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        with pytest.raises(EmbeddedError, match=rf"port {port} .* set {variable} to another port"):
            async with embedded_servers(options):
                pass


@pytest.mark.parametrize("place", ["/proc/breakout", "/dev/null/breakout"])
async def test_unwritable_directory(options: EmbeddedOptions, place: str) -> None:
    wrong = EmbeddedOptions(Path(place), options.kafka_port, options.clickhouse_port)
    with pytest.raises(EmbeddedError, match=rf"cannot write to .*{place}.*BREAKOUT_DATA_DIR"):
        async with embedded_servers(wrong):
            pass


async def test_damaged_data_are_reported_with_the_log(options: EmbeddedOptions) -> None:
    engine = options.data_dir / "clickhouse"
    engine.mkdir(parents=True)
    (engine / "data").write_text("not a directory")
    with pytest.raises(
        ProcessError, match=r"ClickHouse exited with code 1.*clickhouse\.log"
    ) as raised:
        async with embedded_servers(options):
            pass
    assert "Stack trace" not in str(raised.value)

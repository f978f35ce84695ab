"""A crash ends the process at once, whatever the engine does with signals itself."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.breakout.local.conftest import ADMIN_PASSWORD
from tests.support.embedded_servers import running_clickhouse

# Reads memory that is nobody's in a thread while a statement runs in another, as a bug of the
# engine would
WILD_READ = """
import ctypes, sys, threading, time
from pathlib import Path
from breakout.local.clickhouse.engine import Engine

engine = Engine(Path(sys.argv[1]))
endless = b"SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"
threading.Thread(target=lambda: engine.connect().run(endless), daemon=True).start()
while engine.rows("SELECT count() FROM system.processes WHERE query LIKE '%sipHash%'") != ["2"]:
    time.sleep(0.01)
threading.Thread(target=lambda: ctypes.string_at(8), daemon=True).start()
time.sleep(600)
"""


def test_wild_read_in_a_thread_ends_the_process(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", WILD_READ, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGSEGV


@pytest.mark.parametrize(
    "number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE]
)
def test_signal_of_a_crash_ends_the_server(tmp_path: Path, number: signal.Signals) -> None:
    with running_clickhouse(tmp_path, admin_password=ADMIN_PASSWORD) as server:
        httpx.post(server.url, content="SELECT 1", auth=("default", ADMIN_PASSWORD))
        assert server.crash(number) == -number

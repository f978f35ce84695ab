"""What listens, and for whom: this machine alone, and nothing that nobody asked for.

That all of `breakout up` listens on this machine alone is held by tests/breakout/cli/test_up.py.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.security.listening import Listener, listeners
from tests.support.events import observed
from tests.support.pipeline import REPOSITORY, Pipeline, running_pipeline
from tests.support.server_process import free_port
from tests.support.waiting import wait_until

FAUST = [str(Path(sys.executable).with_name("faust")), "--debug", "-A", "streams.app"]


def test_a_workers_only_listener_is_its_metrics(tmp_path: Path) -> None:
    """Faust's own web server would show tables and routes to whoever asks."""
    port = free_port()
    wanted: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
        "variables": (
            [sys.executable, "-m", "breakout", "worker"],
            {"APP_WEB_ENABLED": "true", "WEB_BIND": "0.0.0.0", "WEB_PORT": str(port)},
        ),
        "options": (
            [*FAUST, "--console-port", str(port), "worker", "--with-web", "--web-port", str(port)],
            {},
        ),
    }
    with running_pipeline(tmp_path / "pipeline") as pipeline:
        pipeline.publish([observed(["org/a"], 1.0, [10])])
        workers = {
            group: _start(command, {**pipeline.environment, "BREAKOUT_GROUP": group, **variables})
            for group, (command, variables) in wanted.items()
        }
        try:
            for group, worker in workers.items():
                _wait_caught_up(pipeline, group, worker)
                found = _listeners(worker.pid)
                assert [one.host for one in found] == ["127.0.0.1"], (group, found)
                assert port not in {one.port for one in found}
        finally:
            for worker in workers.values():
                worker.kill()
                worker.wait()


def _start(command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL)


def _wait_caught_up(pipeline: Pipeline, group: str, worker: "subprocess.Popen[bytes]") -> None:
    """Wait until all services of a worker run: only then is a record acknowledged."""
    pipeline.group = group

    def caught_up() -> bool:
        assert worker.poll() is None
        return not any(pipeline.lag().values())

    wait_until(f"the worker with {group} has begun", caught_up)


def _listeners(pid: int) -> set[Listener]:
    """Return where a process listens; the kernel's table may lack a row while others change."""
    found: set[Listener] = wait_until("it listens", lambda: listeners([pid]))
    return found


def test_the_environment_overrules_no_setting() -> None:
    """Faust's own variables would come before its arguments: another broker, another group."""
    script = """
from streams.app import app
assert str(app.conf.broker) == "[URL('kafka://ours:9092')]", app.conf.broker
assert app.conf.consumer_auto_offset_reset == "earliest"
assert not app.conf.web_enabled
assert not app.conf.debug
"""
    theirs = {
        "BROKER_URL": "kafka://theirs:9092",
        "CONSUMER_AUTO_OFFSET_RESET": "latest",
        "APP_WEB_ENABLED": "1",
        "APP_DEBUG": "1",
    }
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": "ours:9092", **theirs},
        check=True,
    )


def test_the_listening_sockets_are_seen() -> None:
    """The kernel's table is read rightly, for both kinds of address."""
    script = """
import json, socket, sys
made = [socket.create_server(('0.0.0.0', 0)),
        socket.create_server(('::1', 0), family=socket.AF_INET6)]
print(json.dumps([one.getsockname()[:2] for one in made]), flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        made = {Listener(*one) for one in json.loads(process.stdout.readline())}
        found = listeners([process.pid])
        process.kill()
    assert found == made
    assert [one.is_loopback for one in sorted(found)] == [False, True]

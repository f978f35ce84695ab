"""The command line itself: its help, its errors, its exit codes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.breakout.cli.conftest import Breakout
from tests.breakout.cli.forked import REPOSITORY
from tests.support.server_process import free_port

COMMANDS = ["up", "demo", "top", "status", "baseline", "migrate", "embedded", "collect", "worker"]


def test_help_lists_every_command(breakout: Breakout) -> None:
    shown = breakout("--help")
    assert shown.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in shown.stdout
    assert "--with-parent" not in shown.stdout


def test_help_imports_neither_commands_nor_libraries() -> None:
    code = (
        "import sys; sys.argv = ['breakout', '--help']\n"
        "from breakout.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    for heavy in ("clickhouse_connect", "pydantic", "aiokafka", "faust", "rich", "streams"):
        assert f"'{heavy}'" not in done.stderr


@pytest.mark.parametrize("command", [[name] for name in COMMANDS] + [["baseline", "freeze"]])
def test_every_command_has_help(breakout: Breakout, command: list[str]) -> None:
    shown = breakout(*command, "--help")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(f"Usage: breakout {' '.join(command)}")


def test_version(breakout: Breakout) -> None:
    from breakout import __version__

    assert breakout("--version").stdout == f"breakout, version {__version__}\n"


def test_an_unknown_command_is_wrong_usage(breakout: Breakout) -> None:
    shown = breakout("tops")
    assert shown.returncode == 2
    assert "No such command 'tops'" in shown.stderr


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("CLICKHOUSE_URL", "clickhouse:9000", "CLICKHOUSE_URL: must be an http:// or https://"),
        ("CLICKHOUSE_URL", "http://127.0.0.1:8123", "CLICKHOUSE_URL: must end with the database"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka", "KAFKA_BOOTSTRAP_SERVERS: must be host:port"),
        ("BREAKOUT_LOG_FORMAT", "xml", "BREAKOUT_LOG_FORMAT: "),
        ("BREAKOUT_SCRAPE_SECONDS", "0", "BREAKOUT_SCRAPE_SECONDS: "),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(
    breakout: Breakout, variable: str, value: str, said: str
) -> None:
    for command in ("migrate", "top", "status"):
        shown = breakout(command, **{variable: value})
        assert (shown.returncode, shown.stdout) == (1, "")
        (line,) = shown.stderr.splitlines()
        assert line.startswith(f"breakout: {said}")


def test_a_wrong_url_does_not_show_its_password(breakout: Breakout) -> None:
    shown = breakout("top", CLICKHOUSE_URL="http://me:topsecret@:x/")
    assert shown.returncode == 1
    assert "topsecret" not in shown.stdout + shown.stderr


def test_no_clickhouse_is_one_line(breakout: Breakout) -> None:
    nobody = f"http://me:topsecret@127.0.0.1:{free_port()}/breakout"
    for command in (["top"], ["baseline", "list"], ["baseline", "freeze", "x"]):
        shown = breakout(*command, CLICKHOUSE_URL=nobody)
        assert (shown.returncode, shown.stdout) == (1, "")
        (line,) = shown.stderr.splitlines()
        assert "cannot connect to ClickHouse at http://127.0.0.1" in line
        assert "CLICKHOUSE_URL" in line
        assert "topsecret" not in line


def test_debug_shows_the_traceback_and_still_no_secret(breakout: Breakout) -> None:
    nobody = f"http://me:topsecret@127.0.0.1:{free_port()}/breakout"
    shown = breakout("--debug", "top", CLICKHOUSE_URL=nobody)
    assert shown.returncode == 1
    assert "Traceback" in shown.stderr
    assert "topsecret" not in shown.stderr


def test_value_of_an_option_is_not_debug(breakout: Breakout) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/breakout"
    shown = breakout("top", "--baseline", "--debug", CLICKHOUSE_URL=nobody)
    assert shown.returncode == 1
    assert "Traceback" not in shown.stderr


def test_an_unexpected_error_is_one_line_too(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def top(*args, **options): raise KeyError('hf_secret1')")
    code = (
        "import sys; sys.argv = ['breakout', 'top']\n"
        "import click, breakout.cli.main as m\n"
        "import broken\n"
        "m.OWN['top'] = ('command:top', '')\n"
        "import types; module = types.ModuleType('command')\n"
        "module.top = click.command()(broken.top); sys.modules['command'] = module\n"
        "m.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{tmp_path}", "HF_TOKEN": "hf_secret1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "breakout: unexpected KeyError: '***' (`breakout --debug ...` shows the traceback)"
    ]


def test_ctrl_c_ends_a_wait_with_130(environment: dict[str, str]) -> None:
    waiting = subprocess.Popen(
        [sys.executable, "-m", "breakout", "migrate"],
        cwd=REPOSITORY,
        env={**environment, "CLICKHOUSE_URL": f"http://127.0.0.1:{free_port()}/breakout"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None
    assert "waiting for ClickHouse" in waiting.stderr.readline()
    waiting.send_signal(signal.SIGINT)
    _, said = waiting.communicate(timeout=30)
    assert waiting.returncode == 130
    assert "Traceback" not in said


def test_a_reader_that_leaves_is_no_failure(environment: dict[str, str]) -> None:
    done = subprocess.run(
        f"{sys.executable} -m breakout --help | true; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}
    assert "Traceback" not in done.stderr


def test_a_child_ends_with_its_parent(environment: dict[str, str]) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "breakout", "--with-parent", "migrate"],
        cwd=REPOSITORY,
        env={**environment, "CLICKHOUSE_URL": f"http://127.0.0.1:{free_port()}/breakout"},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stderr is not None
    assert "waiting for ClickHouse" in child.stderr.readline()
    child.stdin.close()
    assert child.wait(30) == -signal.SIGTERM
    child.stderr.close()


def test_migrate_waits_for_a_clickhouse_that_comes(
    environment: dict[str, str], tmp_path: Path
) -> None:
    from tests.support.embedded_servers import running_clickhouse

    port = free_port()
    waiting = subprocess.Popen(
        [sys.executable, "-m", "breakout", "migrate"],
        cwd=REPOSITORY,
        env={**environment, "CLICKHOUSE_URL": f"http://127.0.0.1:{port}/breakout"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with running_clickhouse(tmp_path, port=port):
        out, err = waiting.communicate(timeout=90)
    assert waiting.returncode == 0, err
    assert out.rstrip().endswith("is up to date")


def test_migrate_dry_run_changes_nothing(breakout: Breakout) -> None:
    shown = breakout("migrate", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("-- 0001_")
    assert "CREATE TABLE IF NOT EXISTS downloads_log" in shown.stdout
    assert "CREATE OR REPLACE VIEW ram_now" in shown.stdout
    assert "nothing was changed" in shown.stdout
    assert "run `breakout migrate`" in breakout("top").stderr
    assert breakout("migrate").returncode == 0
    assert breakout("migrate", "--dry-run").stdout.startswith("-- 0 migrations to apply, 0 views ")

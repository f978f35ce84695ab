"""`make audit` against a real server of advisories: one that knows a flaw, one that knows none."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.server_process import free_port
from tools.audit import LOCKS, MOST_DAYS, RECORD, ROOT, audit, last, record

FLAW = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "summary": "It breaks",
    "affected": [
        {
            "package": {"name": "aiohttp", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ],
}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.lock"
    file.write_text(
        "".join(
            f"{name}==1.0 \\\n    --hash=sha256:{'0' * 64}\n" for name in ("aiohttp", "breakfast")
        )
    )
    return file


@contextmanager
def advisories(flaws: Mapping[str, Any], status: int = 200) -> Iterator[tuple[str, ...]]:
    """A server that speaks OSV's protocol; yields the options that make it the one asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(flaws.get(asked["package"]["name"], {})).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield _at(server.server_port)
        finally:
            server.shutdown()
            thread.join()


def _at(port: int) -> tuple[str, ...]:
    return ("--vulnerability-service", "osv", "--osv-url", f"http://127.0.0.1:{port}/")


def test_a_flaw_fails(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with advisories({"aiohttp": {"vulns": [FLAW]}}) as service:
        assert audit(lock, service) == 1
    said = capsys.readouterr()
    assert "aiohttp 1.0: GHSA-aaaa-bbbb-cccc, mended in 99.1" in said.out
    assert "NOT" not in said.err


def test_none_is_said(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with advisories({}) as service:
        assert audit(lock, service) == 0
    said = capsys.readouterr()
    assert "no known vulnerability in 2 packages" in said.out
    assert said.err == ""


def test_nobody_to_ask_is_loud_and_no_failure(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(lock, _at(free_port())) == 0
    said = capsys.readouterr()
    assert "THE AUDIT WAS NOT DONE" in said.err
    assert "no known vulnerability" not in said.out


def test_a_server_that_fails_is_nobody_to_ask(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with advisories({}, status=503) as service:
        assert audit(lock, service) == 0
    assert "THE AUDIT WAS NOT DONE" in capsys.readouterr().err


def test_a_lock_that_cannot_be_read_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("aiohttp==1.0\n")
    assert audit(lock, _at(free_port())) == 1
    said = capsys.readouterr()
    assert "pip-audit failed" in said.err
    assert "NOT DONE" not in said.err


TODAY = date(2026, 11, 28)


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    for name in LOCKS:
        (tmp_path / name).write_text(f"{name}==1.0\n")
    return tmp_path


def said_last(folder: Path, today: date, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = last(folder, today)
    line, rest = capsys.readouterr().out.split("\n", 1)
    assert rest == ""
    return code, line


def test_an_audit_is_recorded_only_when_it_was_done(lock: Path) -> None:
    done: list[str] = []
    note = lambda: done.append("done")  # noqa: E731
    with advisories({"aiohttp": {"vulns": [FLAW]}}) as service:
        audit(lock, service, note)
    audit(lock, _at(free_port()), note)
    assert done == []
    with advisories({}) as service:
        audit(lock, service, note)
    assert done == ["done"]


def test_the_last_line_says_whether_it_was_done(
    locks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(locks, "audited", TODAY)
    code, line = said_last(locks, TODAY, capsys)
    assert (code, line) == (0, "audit: done on 2026-11-28: no known vulnerability")
    code, line = said_last(locks, TODAY + timedelta(days=3), capsys)
    assert code == 0
    assert line.startswith("audit: NOT DONE NOW: the locks were last audited on 2026-11-28, 3 days")


@pytest.mark.parametrize("what", ["audited", "locked"])
def test_locks_that_nobody_audited_for_long_fail(
    what: str, locks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(locks, what, TODAY)
    assert said_last(locks, TODAY + timedelta(days=MOST_DAYS), capsys)[0] == 0
    code, line = said_last(locks, TODAY + timedelta(days=MOST_DAYS + 1), capsys)
    assert code == 1
    assert "run `make audit`" in line
    # A clock that is wrong proves nothing either.
    assert said_last(locks, TODAY - timedelta(days=1), capsys)[0] == 1


def test_locks_made_anew_and_equal_are_as_old_as_before(
    locks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(locks, "audited", TODAY)
    before = (locks / RECORD).read_text()
    record(locks, "locked", TODAY + timedelta(days=20))
    assert (locks / RECORD).read_text() == before
    (locks / LOCKS[0]).write_text("other==2.0\n")
    code, line = said_last(locks, TODAY, capsys)
    assert code == 1
    assert "is of other locks" in line
    record(locks, "locked", TODAY)
    code, line = said_last(locks, TODAY, capsys)
    assert code == 0
    assert "NOT DONE NOW: the locks were last locked on" in line


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"what": "audited", "on": "soon", "locks": {}}'])
def test_a_record_that_cannot_be_read_fails(
    text: str, locks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said_last(locks, TODAY, capsys)[0] == 1
    (locks / RECORD).write_text(text)
    code, line = said_last(locks, TODAY, capsys)
    assert code == 1
    assert RECORD in line


def test_the_record_is_of_the_locks_that_are_here() -> None:
    told = json.loads((ROOT / RECORD).read_text())
    assert last(ROOT, date.fromisoformat(told["on"])) == 0, "run `make lock`"


@pytest.mark.parametrize(
    ("make", "code"), [("exit 0", 0), ("exit 2", 2), ('[ "$1" = audit ] || exit 2', 2)]
)
def test_the_last_line_of_ci_is_the_audits(
    make: str, code: int, locks: Path, tmp_path: Path
) -> None:
    """`.ci/run` itself, with a `make` that does nothing but succeed or fail."""
    tools = tmp_path / "bin"
    for folder in (tools, tmp_path / ".ci", tmp_path / ".venv" / "bin", tmp_path / "tools"):
        folder.mkdir(parents=True)
    for name, text in (("make", make), ("promtool", "true"), ("chromium", "true")):
        (tools / name).write_text(f"#!/bin/sh\necho this is $1\n{text}\n")
        (tools / name).chmod(0o755)
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    shutil.copy(ROOT / "tools" / "audit.py", tmp_path / "tools" / "audit.py")
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    for on, expected in ((datetime.now(UTC).date(), code), (date(2026, 1, 1), code or 1)):
        (locks / RECORD).unlink(missing_ok=True)
        record(locks, "locked", on)
        ran = subprocess.run(
            ["bash", str(tmp_path / ".ci" / "run")],
            env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == expected
        assert ran.stdout.splitlines()[-1].startswith("audit: "), ran.stderr

"""`make audit` against a real server of advisories: one that knows a flaw, one that knows none."""

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import free_port
from tools.audit import audit

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

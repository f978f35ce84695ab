"""Log events of a real process: one line each, without secrets."""

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
SECRET = "hf_verysecret"


def logged(code: str, **environment: str) -> str:
    """Return what a process that runs `code` with logging configured writes to stderr."""
    program = textwrap.dedent(
        """
        import logging
        import structlog
        from breakout.observability.logging import configure_logging
        from breakout.settings import read_settings
        settings = read_settings()
        configure_logging(settings)
        log = structlog.get_logger("breakout.test")
        """
    ) + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=REPOSITORY,
        env={**os.environ, "HF_TOKEN": SECRET, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr


def events(code: str, **environment: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in logged(code, **environment).splitlines()]


def test_an_event_is_one_json_object_with_a_utc_time() -> None:
    (event,) = events("log.info('inserted', rows=2**60, table='downloads_log', share=None)")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", str(event.pop("timestamp")))
    assert event == {
        "event": "inserted",
        "rows": 2**60,
        "table": "downloads_log",
        "share": None,
        "level": "info",
        "logger": "breakout.test",
    }


def test_an_exception_stays_one_line_and_keeps_its_traceback() -> None:
    (event,) = events(
        """
        try:
            raise ValueError("größer\\nals gedacht")
        except ValueError:
            log.exception("failed")
        """
    )
    assert event["level"] == "error"
    assert "Traceback" in str(event["exception"])
    assert "größer" in str(event["exception"])


HOSTILE = """log.info("ev\\x1b[31mil", why="a\\x1b]0;t\\x07\\nforged", ids=["\\x9b1m", "\\u202e"])
        try:
            raise ValueError("bad\\x1b[2J")
        except ValueError:
            log.exception("failed")
        logging.getLogger("foreign").warning("from %s", "\\x1b[5m\\nforged")
        """


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_control_character_is_in_a_log(style: str) -> None:
    said = logged("\n        " + HOSTILE, BREAKOUT_LOG_FORMAT=style)
    assert not re.search(r"[^\S\n ]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said)
    assert not [line for line in said.splitlines() if line.startswith("forged")]
    if style == "json":
        first, *_ = (json.loads(line) for line in said.splitlines())
        assert (first["event"], first["ids"]) == ("ev\x1b[31mil", ["\x9b1m", "\u202e"])


def test_libraries_take_the_same_way_out() -> None:
    (event,) = events(
        "logging.getLogger('some.library').warning('lost %s of %d', 'a', 3, extra={'shard': 7})"
    )
    assert event["event"] == "lost a of 3"
    assert event["level"] == "warning"
    assert event["logger"] == "some.library"
    assert event["shard"] == 7


@pytest.mark.parametrize("library", ["aiokafka.cluster", "httpx", "httpcore.http11", "mode.x"])
def test_chatty_libraries_are_heard_from_warnings_on(library: str) -> None:
    said = events(
        f"""
        logger = logging.getLogger({library!r})
        logger.info("a request")
        logger.warning("a problem")
        """
    )
    assert [event["event"] for event in said] == ["a problem"]


def test_debug_is_not_shown() -> None:
    assert events("log.debug('detail')") == []


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_secret_gets_out(style: str) -> None:
    text = logged(
        f"""
        secret = {SECRET!r}
        log.info(f"in the text {{secret}}", value=secret, nested={{"a": [secret]}})
        log.info("headers", headers={{"Authorization": "Bearer of-something-else"}})
        log.info("address", url="http://user:pass-in-url@host/")
        logging.getLogger("lib").warning("argument %s", secret)
        log.bind(bound=secret).warning("bound")
        structlog.contextvars.bind_contextvars(context=secret)
        try:
            raise ValueError(f"with {{secret}}")
        except ValueError:
            log.exception("raised")
            logging.getLogger("lib").exception("raised elsewhere")
        """,
        BREAKOUT_LOG_FORMAT=style,
    )
    assert "raised elsewhere" in text
    assert SECRET not in text
    assert "of-something-else" not in text
    assert "pass-in-url" not in text


def test_console_is_for_people() -> None:
    text = logged("log.info('inserted', rows=5)", BREAKOUT_LOG_FORMAT="console")
    assert "inserted" in text
    assert "rows=5" in text
    assert "{" not in text


def test_auto_is_json_where_nobody_watches() -> None:
    assert events("log.info('x')", BREAKOUT_LOG_FORMAT="auto")[0]["event"] == "x"


def test_warnings_of_python_are_events_too() -> None:
    (event,) = events("import warnings; warnings.simplefilter('always'); warnings.warn('old')")
    assert "UserWarning: old" in str(event["event"])

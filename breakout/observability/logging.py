"""Logs: one line per event, as JSON or for a terminal, without secrets.

Events may quote text of sources and servers: control characters in it are escaped, so that none
reaches a terminal or ends a line, except in a traceback.

Events are written with structlog (`structlog.get_logger(__name__).info("inserted", rows=5)`).
What libraries log with the standard library is processed in the same way.
"""

import json
import logging
import logging.config
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from breakout.observability.printable import one_line, printable, printable_json
from breakout.observability.redaction import Redactor
from breakout.settings import Settings

# Libraries that log every request or poll at INFO would drown our own events.
LEVELS = {
    "": "INFO",
    "aiohttp.access": "WARNING",
    "aiokafka": "WARNING",
    "asyncio": "WARNING",
    "clickhouse_connect": "ERROR",
    "faust": "WARNING",
    "httpcore": "WARNING",
    "httpx": "WARNING",
    "mode": "WARNING",
    "urllib3": "ERROR",
}


def configure_logging(settings: Settings) -> None:
    """Log to standard error in the format of `BREAKOUT_LOG_FORMAT`."""
    logging.config.dictConfig(logging_config(settings))
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_facts(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def logging_config(settings: Settings) -> dict[str, Any]:
    """Return the `logging.config.dictConfig` for these settings, for a host that applies its own.

    Faust does: `faust.App(logging_config=logging_config(settings))`.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_facts(), structlog.stdlib.ExtraAdder()],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    _Redaction(settings),
                    *_renderers(settings),
                ],
            }
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"level": LEVELS[""], "handlers": ["stderr"]},
        "loggers": {name: {"level": level} for name, level in LEVELS.items() if name},
    }


class _Redaction:
    """Processor that removes secrets from an event; the last one before rendering."""

    def __init__(self, settings: Settings) -> None:
        self._redactor = Redactor(settings)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {name: self._redactor.value(value, name) for name, value in event.items()}


def _facts() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _renderers(settings: Settings) -> list[Processor]:
    console = settings.log_format == "console" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    if console:
        return [
            _spelled,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ]
    return [structlog.processors.JSONRenderer(serializer=_json)]


_OF_MANY_LINES = frozenset({"exception", "stack"})


def _spelled(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape control characters in the text of an event."""
    return {
        one_line(name): (printable if name in _OF_MANY_LINES else one_line)(value)
        if isinstance(value, str)
        else value
        for name, value in event.items()
    }


def _json(event: EventDict, **options: Any) -> str:
    return printable_json(json.dumps(event, ensure_ascii=False, **options))

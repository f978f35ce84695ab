"""Error messages of the commands."""

from breakout.clickhouse.errors import ClickHouseError
from breakout.clickhouse.statements import MigrationError
from breakout.kafka.topics import KafkaUnavailableError
from breakout.local.errors import EmbeddedError
from breakout.observability.printable import one_line as spelled
from breakout.observability.printable import printable
from breakout.observability.redaction import Redactor
from breakout.processes.errors import ProcessError
from breakout.settings import SettingsError, read_settings


class CommandFailedError(RuntimeError):
    """A command failed; the message says why and what to do."""


EXPECTED = (
    CommandFailedError,
    SettingsError,
    ClickHouseError,
    EmbeddedError,
    KafkaUnavailableError,
    MigrationError,
    ProcessError,
)


def one_line(error: Exception) -> str:
    """Return an error as one line without secrets."""
    text = spelled(" ".join(str(error).split()))
    if not isinstance(error, EXPECTED):
        kind = type(error).__name__
        text = f"unexpected {kind}: {text} (`breakout --debug ...` shows the traceback)"
    return without_secrets(text)


def without_secrets(text: str) -> str:
    """Return a text without secrets and control characters."""
    try:
        return printable(Redactor(read_settings())(text))
    except SettingsError:
        # Errors of settings name variables, never their values.
        return printable(text)

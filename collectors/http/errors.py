"""Why a source could not be read."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx


class SourceError(Exception):
    """A source did not return what was requested.

    The message has the URL (without secrets), the number of attempts, and why the last one failed.
    `status` is the last HTTP status, null without one. `retry_after` is the wait in seconds that
    the source demands, where that exceeds what a request waits.
    """

    def __init__(
        self,
        source: str,
        url: str,
        attempts: int,
        reason: str,
        *,
        status: int | None = None,
        retry_after: float = 0.0,
    ) -> None:
        times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        super().__init__(f"{source}: {url}: {reason} ({times})")
        self.url = url
        self.attempts = attempts
        self.reason = reason
        self.status = status
        self.retry_after = retry_after

    @property
    def affects_all_requests(self) -> bool:
        """Whether every other request to the source would fail too."""
        return self.status == httpx.codes.UNAUTHORIZED


class SourceRefusedError(SourceError):
    """The source rejected the request, or sent what is not accepted; a retry would not help."""


class SourceUnreachableError(SourceError):
    """No connection to the source could be made."""

    @property
    def affects_all_requests(self) -> bool:
        """Always."""
        return True


class EmptyResponseError(Exception):
    """A source returned nothing, or nothing readable: an error, never zero."""


class CircuitBreaker:
    """Fails all further requests to a source after an error that affects every request."""

    def __init__(self) -> None:
        self._error: SourceError | None = None

    @property
    def is_open(self) -> bool:
        """Whether further requests fail."""
        return self._error is not None

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Raise the earlier `SourceError` if there is one; otherwise watch the block for one."""
        if self._error is not None:
            raise self._error
        try:
            yield
        except SourceError as error:
            if error.affects_all_requests:
                self._error = error
            raise


def redacted_url(url: httpx.URL) -> str:
    """Return a URL for logs and messages: no user, password or query."""
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{url.host}{port}{url.path}"

"""The address of the web page."""

from breakout.http.addresses import http_address
from breakout.settings import Settings


def page_address(settings: Settings) -> str:
    """Return the URL of the page on this machine."""
    host = settings.api_host
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not listened on
        host = "127.0.0.1"
    return f"{http_address(host, settings.api_port)}/"

"""`breakout api`: the HTTP API."""

import signal
import socket

import click
import structlog
import uvicorn

from api.app import create_app
from api.clients import networks
from api.connections import Limits, bounded
from api.keys import new_key
from api.page.live_updates import News
from breakout.http.addresses import host_port, http_address
from breakout.observability.logging import configure_logging
from breakout.observability.metrics_server import start_metrics
from breakout.settings import Settings, SettingsError, read_settings

GRACE_SECONDS = 10

log = structlog.get_logger(__name__)


@click.group(invoke_without_command=True)
@click.pass_context
def api(context: click.Context) -> None:
    """Serve the HTTP API for researchers and the web page, read-only, until Ctrl-C."""
    if context.invoked_subcommand is None:
        _serve()


@api.command()
@click.argument("name")
def key(name: str) -> None:
    """Make an API key for NAME: the key to standard error, its line for the file to output."""
    try:
        made, line = new_key(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from None
    click.echo(f"The key, shown this once: {made}", err=True)
    click.echo(line)


def _serve() -> None:
    settings = read_settings()
    configure_logging(settings)
    listener = _listener(settings)
    start_metrics(settings)
    app = create_app(settings)
    limits = Limits(
        settings.api_stall_seconds,
        settings.api_answer_seconds,
        networks(settings.api_trusted_proxies),
    )
    config = uvicorn.Config(
        app,
        http=bounded(limits),
        ws="none",
        # Who asks is for `api.clients` to say.
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config, app.state.news)
    host, port = listener.getsockname()[:2]
    # The server stops by SIGTERM in its own time, and then raises it again.
    signal.signal(signal.SIGTERM, lambda *_: None)
    log.info("serving the API", address=http_address(host, port))
    server.run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, news: News) -> None:
        super().__init__(config)
        self._news = news

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let those go first who follow the news, which never end."""
        self._news.close()
        await super().shutdown(sockets)


def _listener(settings: Settings) -> socket.socket:
    host, port = settings.api_host, settings.api_port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"BREAKOUT_API_PORT: cannot serve the API on {host_port(host, port)} "
            f"({error.strerror or error}): name a free port, or 0 for any; the host is "
            "BREAKOUT_API_HOST"
        ) from error

"""`breakout api`: the HTTP API."""

import signal
import socket

import click
import structlog
import uvicorn

from api.app import create_app
from api.clients import parse_networks
from api.connections import ConnectionLimits, protocol_with
from api.keys import new_key
from api.page.live_updates import LiveUpdates
from breakout.cli.groups import NamingGroup
from breakout.http.addresses import host_port, http_address
from breakout.observability.logging import configure_logging
from breakout.observability.metrics_server import start_metrics
from breakout.settings import Settings, SettingsError, read_settings

GRACE_SECONDS = 10

log = structlog.get_logger(__name__)


@click.group(cls=NamingGroup, invoke_without_command=True)
@click.pass_context
def api(context: click.Context) -> None:
    """Serve the HTTP API for researchers and the web page, read-only, until Ctrl-C."""
    if context.invoked_subcommand is None:
        _serve()


@api.command()
@click.argument("name")
def key(name: str) -> None:
    """Create an API key for NAME: the key goes to stderr, its line for the file to stdout."""
    try:
        made, line = new_key(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from None
    click.echo(f"API key, shown only once: {made}", err=True)
    click.echo(line)


def _serve() -> None:
    settings = read_settings()
    configure_logging(settings)
    listener = listening_socket(settings)
    start_metrics(settings)
    app = create_app(settings)
    limits = ConnectionLimits(
        settings.api_stall_seconds,
        settings.api_answer_seconds,
        parse_networks(settings.api_trusted_proxies),
    )
    config = uvicorn.Config(
        app,
        http=protocol_with(limits),
        ws="none",
        # `api.clients` reads X-Forwarded-For.
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config, app.state.live_updates)
    host, port = listener.getsockname()[:2]
    # uvicorn handles SIGTERM by a graceful shutdown, and raises it again afterwards.
    signal.signal(signal.SIGTERM, lambda *_: None)
    log.info("serving the API", address=http_address(host, port))
    server.run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, live_updates: LiveUpdates) -> None:
        super().__init__(config)
        self._live_updates = live_updates

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams of live updates first: a graceful shutdown would wait for them."""
        self._live_updates.close()
        await super().shutdown(sockets)


def listening_socket(settings: Settings) -> socket.socket:
    """Return a socket at the configured address. Raises `SettingsError` if it is not free."""
    host, port = settings.api_host, settings.api_port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"BREAKOUT_API_PORT: cannot serve the API on {host_port(host, port)} "
            f"({error.strerror or error}): choose a free port, or 0 for any; the host is "
            "BREAKOUT_API_HOST"
        ) from error
    # Connections inherit it. asyncio sets it only on sockets that name their protocol, which those
    # of create_server do not. Without it the body waits 40 ms for the client to acknowledge the
    # headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener

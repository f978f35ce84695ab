"""The HTTP server of this process's metrics, for Prometheus."""

import prometheus_client
import structlog

from breakout.http.addresses import host_port, http_address
from breakout.settings import Settings, SettingsError

log = structlog.get_logger(__name__)


def start_metrics(settings: Settings) -> str:
    """Serve the metrics in a background thread and return their URL.

    Port 0 means any free port. Raises `SettingsError` if the address is not available.
    """
    host, port = settings.metrics_host, settings.metrics_port
    try:
        server, _thread = prometheus_client.start_http_server(port, addr=host)
    except OSError as error:
        raise SettingsError(
            f"BREAKOUT_METRICS_PORT: cannot serve metrics on {host_port(host, port)} "
            f"({error.strerror or error}): name a free port, or 0 for any; the host is "
            "BREAKOUT_METRICS_HOST"
        ) from error
    address = f"{http_address(host, server.server_port)}/metrics"
    log.info("serving metrics", address=address)
    return address

"""How a worker shows that it lives: metrics for Prometheus, heartbeats for `breakout status`."""

from breakout.observability.heartbeat import Heartbeat
from breakout.observability.metrics_server import start_metrics
from breakout.settings import Settings


class SignsOfLife:
    """Metrics and heartbeats of one worker process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._heart: Heartbeat | None = None

    def start(self) -> None:
        """Begin; raises `SettingsError` when the metrics port cannot be had."""
        address = start_metrics(self._settings)
        self._heart = Heartbeat(self._settings, "worker", metrics_address=address)
        self._heart.start()

    def waits(self, why: str | None) -> None:
        """Say that the worker waits for ClickHouse, or with None that it goes on."""
        if self._heart is None:
            return
        if why is not None:
            self._heart.failed(why)
        self._heart.beat("running" if why is None else "waiting")

    def failed(self, why: str) -> None:
        """Say what went wrong; `breakout status` shows it beside the worker."""
        if self._heart is not None:
            self._heart.failed(why)

    def stop(self) -> None:
        """Say that the worker has stopped."""
        if self._heart is not None:
            self._heart.stop()

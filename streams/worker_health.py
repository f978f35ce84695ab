"""Worker health: metrics for Prometheus, heartbeats for `breakout status`."""

from breakout.observability.heartbeat import Heartbeat
from breakout.observability.metrics_server import start_metrics
from breakout.settings import Settings


class WorkerHealth:
    """Metrics and heartbeats of one worker process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._heartbeat: Heartbeat | None = None

    def start(self) -> None:
        """Serve metrics and send heartbeats; raises `SettingsError` if the port is taken."""
        address = start_metrics(self._settings)
        self._heartbeat = Heartbeat(self._settings, "worker", metrics_address=address)
        self._heartbeat.start()

    def waiting(self, reason: str | None) -> None:
        """Report why the worker waits for ClickHouse; None once it is running again."""
        if self._heartbeat is None:
            return
        if reason is not None:
            self._heartbeat.failed(reason)
        self._heartbeat.beat("running" if reason is None else "waiting")

    def failed(self, error: str) -> None:
        """Report an error; `breakout status` shows it beside the worker."""
        if self._heartbeat is not None:
            self._heartbeat.failed(error)

    def stop(self) -> None:
        """Report that the worker has stopped."""
        if self._heartbeat is not None:
            self._heartbeat.stop()

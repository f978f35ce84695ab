"""Whether hubs renew their counters: the view `counter_alarms`, which has the thresholds."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from clickhouse_connect.driver.client import Client

from breakout.numbers import count_text, share_text

HUBS = {"huggingface": "Hub", "modelscope": "ModelScope"}
CREATED = {
    "before 2023": "created before 2023",
    "2023-2024": "created in 2023 and 2024",
    "2025 and after": "created since 2025",
    "unknown": "of unknown age",
}


@dataclass(frozen=True)
class CounterAlarm:
    """A row of the view: a share of the busy models of an age band, and its threshold."""

    source: str
    age_band: str
    alarm: str
    """held or fallen."""
    firing: bool
    share: float
    threshold: float
    hours: float | None
    """Median time that the counters of those held are unchanged."""
    busy: int
    """Number of busy models."""
    day: date

    @property
    def text(self) -> str:
        """What has happened to which models: without a full stop."""
        models = f"{share_text(self.share)} of busy models {CREATED[self.age_band]}"
        if self.alarm == "fallen":
            return f"{models} have fallen below an earlier value"
        hours = "" if self.hours is None else f" for {self.hours:.0f} h"
        return f"{models} have not been renewed{hours}"

    @property
    def facts(self) -> dict[str, Any]:
        """Its columns but the source."""
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self).items()
            if name != "source"
        }


def read_counter_alarms(client: Client) -> dict[str, list[CounterAlarm]]:
    """Return the alarms by source, of those with enough busy models. Raises the driver's errors."""
    rows = client.query(
        "SELECT source, age_band, alarm, firing, share, threshold, hours, busy, day "
        "FROM counter_alarms"
    ).result_rows
    found: dict[str, list[CounterAlarm]] = {}
    for row in rows:
        alarm = CounterAlarm(*row)
        found.setdefault(alarm.source, []).append(alarm)
    return found


def counters_text(source: str, alarms: list[CounterAlarm]) -> str:
    """Return a source's line of the status: what fires, or how far it is from that."""
    hub = HUBS.get(source, source)
    if firing := [alarm.text for alarm in alarms if alarm.firing]:
        return f"{hub} counters: {'; '.join(firing)}"
    greatest = {
        name: max((one for one in alarms if one.alarm == name), key=lambda one: one.share)
        for name in ("held", "fallen")
    }
    busy = sum(one.busy for one in alarms if one.alarm == "held")
    shares = ", ".join(
        f"at most {share_text(one.share)} {name} (limit: {share_text(one.threshold)})"
        for name, one in greatest.items()
    )
    return f"{hub} counters: {count_text(busy)} busy models, {shares}"

"""Health of every part of the system: whether it is up and up to date, or why not."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import reader_client
from breakout.clickhouse.errors import UNKNOWN_DATABASE, ClickHouseError, explained
from breakout.clickhouse.migrations import pending
from breakout.clickhouse.statements import MigrationError
from breakout.kafka.status import KafkaStatus, read_kafka_status
from breakout.kafka.topics import KafkaUnavailableError
from breakout.observability.counter_alarms import counters_text, read_counter_alarms
from breakout.settings import Settings

MAX_LAG_SECONDS = 300.0
"""A worker that lags more is unhealthy."""

MAX_MISSED_HEARTBEATS = 3.0
"""A part that misses more heartbeats counts as lost."""

MAX_MISSED_SCRAPES = 3.0
"""The data of a source that misses more scrapes count as stale."""

DAY = 86_400.0
PERIODS = {"derivatives": 7 * DAY}
"""Seconds between scrapes of the sources that are not scraped daily."""

LISTED_FOR = timedelta(hours=24)
"""Parts that were lost or stopped longer ago are not listed."""

ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class Part:
    """One line of the status: `state` in a word, `detail` in full, with what to do."""

    name: str
    state: str
    ok: bool
    detail: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def read_health(settings: Settings) -> list[Part]:
    """Return the status of every part. An unavailable part is a line of it, not an error."""
    parts = list(_kafka(settings))
    try:
        client = reader_client(settings, timeout_seconds=ANSWER_SECONDS)
    except ClickHouseError as error:
        if error.code == UNKNOWN_DATABASE:
            parts.append(Part("clickhouse", "up", ok=True, detail=str(settings.clickhouse)))
            return [*parts, _schema(settings)]
        return [*parts, Part("clickhouse", "down", ok=False, detail=str(error))]
    parts.append(
        Part("clickhouse", "up", ok=True, detail=f"{settings.clickhouse}, {client.server_version}")
    )
    schema = _schema(settings)
    parts.append(schema)
    if schema.state != "up to date":
        return parts
    now = datetime.now(UTC)
    with explained(settings):
        try:
            return [
                *parts,
                *_beats(client, now),
                *_freshness(client, settings, now),
                *_counters(client),
            ]
        except ClickHouseError as error:
            return [*parts, Part("clickhouse", "failing", ok=False, detail=str(error))]


def _kafka(settings: Settings) -> Iterator[Part]:
    try:
        state = asyncio.run(read_kafka_status(settings, timeout_seconds=ANSWER_SECONDS))
    except KafkaUnavailableError as error:
        yield Part("kafka", "down", ok=False, detail=str(error))
        return
    servers = settings.kafka_bootstrap_servers
    if state.missing:
        topics = ", ".join(state.missing)
        yield Part(
            "kafka",
            "empty",
            ok=False,
            detail=f"{servers}, missing topics: {topics}; start a worker, which creates them",
        )
    else:
        yield Part("kafka", "up", ok=True, detail=f"{servers}, brokers: {state.brokers}")
    yield _positions(state)
    yield from _lags(state)
    yield Part(
        "dead letters",
        "none" if not state.recent else "present",
        ok=not state.recent,
        detail=f"{state.recent:,} in the last 24 hours, {state.dead_letters:,} retained",
        facts={"dead_letters": state.dead_letters, "recent": state.recent},
    )


def _positions(state: KafkaStatus) -> Part:
    facts = [
        {
            "topic": one.partition.topic,
            "partition": one.partition.partition,
            "position": one.position,
            "begin": one.begin,
            "end": one.end,
            "why": one.why,
        }
        for one in state.lost
    ]
    if not state.lost:
        return Part("positions", "valid", ok=True, facts={"lost": facts})
    more = f" (and {len(facts) - 1:,} more)" if len(facts) > 1 else ""
    detail = f"{state.lost[0]}{more}; a worker reads the log again from its start"
    return Part("positions", "lost", ok=False, detail=detail, facts={"lost": facts})


def _lags(state: KafkaStatus) -> Iterator[Part]:
    for lag in state.lags:
        behind = lag.seconds or 0.0
        late = behind > MAX_LAG_SECONDS
        yield Part(
            f"lag {lag.topic}",
            "behind" if late else "keeping up",
            ok=not late,
            detail=f"{lag.records:,} records, oldest {_duration(behind)} old "
            f"(limit: {_duration(MAX_LAG_SECONDS)})"
            if lag.records
            else "no records waiting",
            facts={"topic": lag.topic, "records": lag.records, "seconds": lag.seconds},
        )


def _schema(settings: Settings) -> Part:
    try:
        difference = pending(settings).first
    except (MigrationError, ClickHouseError) as error:
        return Part("schema", "invalid", ok=False, detail=str(error))
    if difference:
        return Part("schema", "outdated", ok=False, detail=f"{difference}: run `breakout migrate`")
    return Part("schema", "up to date", ok=True)


@dataclass(frozen=True)
class _Beat:
    component: str
    instance: str
    at: datetime
    interval_seconds: float
    state: str
    last_error: str | None
    last_error_at: datetime | None
    metrics_address: str | None

    def lost(self, now: datetime) -> bool:
        silence = (now - self.at).total_seconds()
        return self.state != "stopped" and silence > MAX_MISSED_HEARTBEATS * self.interval_seconds

    def alive(self, now: datetime) -> bool:
        return self.state != "stopped" and not self.lost(now)


def _beats(client: Client, now: datetime) -> Iterator[Part]:
    rows = client.query(
        "SELECT component, instance, at, interval_seconds, state, last_error, last_error_at, "
        "metrics_address FROM heartbeats FINAL ORDER BY component, at DESC"
    ).result_rows
    beats: dict[str, list[_Beat]] = {}
    for row in rows:
        beat = _Beat(*row)
        beats.setdefault(beat.component, []).append(beat)
    for component, instances in beats.items():
        alive = any(beat.alive(now) for beat in instances)
        yield from (
            _beat_part(beat, now, replaced=alive)
            for beat in _worth_showing(instances, now, alive=alive)
        )
        if component == "worker" and not alive:
            yield _NO_WORKER
    if "worker" not in beats:
        yield _NO_WORKER


_NO_WORKER = Part(
    "worker", "down", ok=False, detail="no worker is running: start `breakout worker`"
)


def _worth_showing(beats: Iterable[_Beat], now: datetime, *, alive: bool) -> Iterator[_Beat]:
    for number, beat in enumerate(beats):
        # Running instances; if there are none, the one with the latest heartbeat.
        if beat.alive(now) or (number == 0 and not alive and now - beat.at < LISTED_FOR):
            yield beat


def _beat_part(beat: _Beat, now: datetime, *, replaced: bool) -> Part:
    lost = beat.lost(now)
    ago = _duration((now - beat.at).total_seconds())
    detail = [beat.instance, f"last heartbeat {ago} ago"]
    if lost:
        detail.append(f"expected every {_duration(beat.interval_seconds)}")
    if beat.metrics_address:
        detail.append(beat.metrics_address)
    if beat.last_error and beat.last_error_at:
        detail.append(f"last error {_duration((now - beat.last_error_at).total_seconds())} ago:")
        detail.append(beat.last_error)
    return Part(
        beat.component,
        "lost" if lost else beat.state,
        ok=replaced or not lost,
        detail=", ".join(detail).replace(":, ", ": "),
        facts={
            "instance": beat.instance,
            "at": beat.at,
            "last_error": beat.last_error,
            "last_error_at": beat.last_error_at,
            "metrics_address": beat.metrics_address,
        },
    )


def _freshness(client: Client, settings: Settings, now: datetime) -> Iterator[Part]:
    rows = client.query(
        """
        SELECT name, max(at) AS latest
        FROM
        (
            SELECT toString(source) AS name, observed_at AS at
            FROM downloads_log WHERE origin IN ('live', 'live-30d')
            UNION ALL
            SELECT toString(source) AS name, as_of AS at FROM inference_log
            UNION ALL
            SELECT toString(source) AS name, observed_at AS at FROM ratings_log
            UNION ALL
            SELECT 'derivatives' AS name, observed_at AS at FROM derivatives_log
        )
        GROUP BY name
        ORDER BY name
        """
    ).result_rows
    for source, latest in rows:
        limit = MAX_MISSED_SCRAPES * (
            settings.scrape_seconds if source == "huggingface" else PERIODS.get(source, DAY)
        )
        age = (now - latest).total_seconds()
        stale = age > limit
        yield Part(
            f"data {source}",
            "stale" if stale else "fresh",
            ok=not stale,
            detail=f"last observed {_duration(age)} ago (limit: {_duration(limit)})",
            facts={"source": source, "observed_at": latest, "seconds": age},
        )
    if not rows:
        yield Part(
            "data",
            "none",
            ok=False,
            detail="no data collected yet: run `breakout collect registry` and "
            "`breakout collect huggingface`",
        )


def _counters(client: Client) -> Iterator[Part]:
    for source, alarms in read_counter_alarms(client).items():
        firing = {alarm.alarm for alarm in alarms if alarm.firing}
        yield Part(
            f"counters {source}",
            " and ".join(sorted(firing, reverse=True)) or "renewed",
            ok=True,  # nothing of ours is broken when a hub does not renew its counters
            detail=counters_text(source, alarms),
            facts={"source": source, "alarms": [alarm.facts for alarm in alarms]},
        )


def _duration(seconds: float) -> str:
    """Return a duration in the largest unit of which it has two: 42 s, 5 min, 3 h, 12 days."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

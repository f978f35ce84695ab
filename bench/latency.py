"""Milliseconds from publishing an observation until a query returns it, at a given rate.

Twenty times a second a slice per partition is published. A client polls for complete observation
times; the time of its query is part of the latency.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import numpy as np
from aiokafka import AIOKafkaProducer

from bench.figures import Figure, Target
from bench.measured_pipeline import measured_pipeline, start_worker
from bench.publishing import publish
from bench.sizes import Sizes
from bench.workload import Workload
from breakout.contract import DownloadsSlice
from breakout.core.times import to_ms
from tests.support.pipeline import KafkaRecord, Pipeline

NAME = "latency"
TICKS_PER_SECOND = 20
_TIMEOUT_SECONDS = 60.0
TARGETS = {10_000: Target(1_000, at_least=False)}


def figures(sizes: Sizes, report: Callable[[str], None]) -> Iterator[Figure]:
    """Yield p50 and p99 at each rate, one after the other with one worker."""
    size = sizes.latency
    workload = Workload(size.models)
    with measured_pipeline() as pipeline:
        start_worker(pipeline)
        pipeline.publish(workload.registry(size.with_points))
        publish(pipeline.bootstrap, workload.slices(0, 0))
        pipeline.wait_caught_up(120)
        first = 1
        for rate in size.rates:
            report(f"{rate:,} observations/s")
            ticks = size.seconds * TICKS_PER_SECOND
            batches = [
                tick(pipeline, workload, number, rate // TICKS_PER_SECOND)
                for number in range(first, first + ticks)
            ]
            first += ticks
            waited, took = measure(pipeline, batches)
            rows = sum(one.rows for one in batches)
            note = f"{rows:,} observations published in {took:.1f} s"
            p50, p99 = np.percentile(waited, (50, 99)) * 1000
            yield Figure(NAME, f"p50 at {rate:,}/s", float(p50), "ms", note)
            yield Figure(NAME, f"p99 at {rate:,}/s", float(p99), "ms", note, TARGETS.get(rate))
            pipeline.wait_caught_up(120)


class Tick:
    """Records of one observation time, and their number of observations."""

    def __init__(self, at: int, rows: int, records: Sequence[KafkaRecord]) -> None:
        self.at, self.rows, self.records = at, rows, records


def tick(
    pipeline: Pipeline, workload: Workload, number: int, rows: int, *, scrape: int = 0
) -> Tick:
    """Return the records of the `number`th tick after a scrape, for the next `rows` models."""
    index = (np.arange(rows) + number * rows) % len(workload.ids)
    at = workload.time_of(scrape) + timedelta(seconds=number)
    totals = workload.counters(scrape)[index] + number
    event = DownloadsSlice(
        source="huggingface",
        scrape_id=f"tick-{number}",
        observed_at=at,
        models=[workload.ids[one] for one in index],
        downloads_all_time=totals.tolist(),
        downloads_30d=[1] * rows,
        likes=[1] * rows,
    )
    return Tick(to_ms(at), rows, pipeline.records([event]))


def measure(
    pipeline: Pipeline,
    ticks: Sequence[Tick],
    per_second: float = TICKS_PER_SECOND,
    poll_seconds: float = 0.01,
) -> tuple[list[float], float]:
    """Publish ticks at their times; return the latency of each, and the seconds of publishing."""
    sent: dict[int, float] = {}
    queryable: dict[int, float] = {}
    with ThreadPoolExecutor(1) as pool, closing(pipeline.client()) as client:
        publishing = pool.submit(
            lambda: asyncio.run(_publish(pipeline.bootstrap, ticks, sent, per_second))
        )
        outstanding = {one.at: one.rows for one in ticks}
        deadline = time.monotonic() + len(ticks) / per_second + _TIMEOUT_SECONDS
        while outstanding:
            result = client.query(
                "SELECT toUnixTimestamp64Milli(observed_at) AS at, count() FROM downloads_log "
                f"WHERE observed_at >= fromUnixTimestamp64Milli({min(outstanding)}) GROUP BY at"
            )
            now = time.monotonic()
            for at, rows in result.result_rows:
                if at in outstanding and rows >= outstanding[at]:
                    del outstanding[at]
                    queryable[at] = now
            if now > deadline:
                raise TimeoutError(f"{len(outstanding)} of {len(ticks)} ticks are incomplete")
            time.sleep(poll_seconds)
        took = publishing.result()
    return [queryable[at] - sent[at] for at in sent], took


async def _publish(
    bootstrap: str, ticks: Sequence[Tick], sent: dict[int, float], per_second: float
) -> float:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=16_000_000)
    await producer.start()
    try:
        started = time.monotonic()
        acknowledged = []
        for number, one in enumerate(ticks):
            await asyncio.sleep(started + number / per_second - time.monotonic())
            sent[one.at] = time.monotonic()
            acknowledged += [
                await producer.send(topic, value, key.encode(), partition=partition)
                for topic, key, partition, value in one.records
            ]
        await asyncio.gather(*acknowledged)
        return time.monotonic() - started
    finally:
        await producer.stop()

"""ClickHouse is slow, overloaded, killed or not started: workers wait and lose nothing."""

import pytest

from tests.support.clickhouse_proxy import OVERLOADED, READ_ONLY, TOO_MANY_PARTS, Refusal, Stage
from tests.support.rig import READER_PASSWORD, Rig, deliveries
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

WAITS = "waiting for ClickHouse"


@pytest.mark.parametrize(
    "insert", ["downloads_log", pytest.param("points_log", marks=pytest.mark.slow)]
)
def test_insert_that_timed_out_after_it_was_applied_is_retried(rig: Rig, insert: str) -> None:
    for worker in rig.running_workers():
        worker.stop()
    worker = rig.start_worker(BREAKOUT_INSERT_TIMEOUT_SECONDS="2")
    trap = rig.proxy.trap(f"INSERT INTO {insert}", Stage.APPLIED)
    for part in deliveries(f"timeout-{insert}"):
        rig.publish(part)
    trap.wait()
    rig.wait_for_log(worker, WAITS)
    rig.verify()
    trap.release(forward=False)


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        pytest.param(OVERLOADED, "HTTP status 503", id="overloaded"),
        pytest.param(READ_ONLY, "TABLE_IS_READ_ONLY", id="read-only", marks=pytest.mark.slow),
        pytest.param(TOO_MANY_PARTS, "TOO_MANY_PARTS", id="too-many-parts", marks=pytest.mark.slow),
    ],
)
def test_worker_waits_while_clickhouse_refuses_inserts(
    rig: Rig, refusal: Refusal, reason: str
) -> None:
    rig.caught_up_worker()
    rig.proxy.refusal = refusal
    refused = rig.proxy.refused
    rig.publish(deliveries(f"refusing-{refusal.code}", parts=1)[0])
    wait_until("inserts are refused", lambda: rig.proxy.refused >= refused + 3)
    rig.proxy.refusal = None
    rig.verify()
    assert any(reason in worker.log.read_text() for worker in rig.running_workers())


def test_worker_keeps_up_with_slow_inserts(rig: Rig) -> None:
    rig.caught_up_worker()
    rig.proxy.insert_seconds = 0.7
    for part in deliveries("slow", parts=6):
        rig.publish(part)
    rig.verify()


@pytest.mark.slow
def test_worker_exits_if_its_user_may_not_write(rig: Rig) -> None:
    for worker in rig.running_workers():
        assert worker.stop() == 0
    rig.publish(deliveries("reader", parts=1)[0])
    reader = rig.start_worker(
        BREAKOUT_CLICKHOUSE_USER="reader", BREAKOUT_CLICKHOUSE_PASSWORD=READER_PASSWORD
    )
    assert reader.process.wait(60) != 0
    log = reader.log.read_text()
    assert "denied access to user 'reader' (BREAKOUT_CLICKHOUSE_USER)" in log
    assert READER_PASSWORD not in log
    rig.start_worker()
    rig.verify()


def test_clickhouse_killed_under_load_restarts_with_its_data(rig: Rig) -> None:
    first, second, third = deliveries("clickhouse-killed", parts=3)
    worker = rig.caught_up_worker()
    trap = rig.proxy.trap("INSERT INTO downloads_log", Stage.BEFORE)
    rig.publish(first)
    trap.wait()
    rig.clickhouse.kill()
    trap.release()
    rig.publish(second)
    rig.wait_for_log(worker, WAITS)
    rig.clickhouse.start()
    rig.publish(third)
    rig.verify()
    assert worker.is_running


def test_worker_started_without_clickhouse_waits_and_stops_on_sigterm(rig: Rig) -> None:
    first, second = deliveries("clickhouse-away")
    for worker in rig.running_workers():
        assert worker.stop() == 0
    rig.clickhouse.kill()
    rig.publish(first)
    waiting = rig.start_worker()
    rig.wait_for_log(waiting, WAITS)
    assert waiting.stop() == 0
    restarted = rig.start_worker()
    rig.wait_for_log(restarted, WAITS)
    rig.publish(second)
    rig.clickhouse.start()
    rig.verify()
    assert restarted.is_running

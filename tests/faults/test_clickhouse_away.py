"""ClickHouse is slow, overloaded, killed or not there yet: workers wait and lose nothing."""

import pytest

from tests.support.clickhouse_proxy import OVERLOADED, READ_ONLY, TOO_MANY_PARTS, Refusal, Stage
from tests.support.rig import READER_PASSWORD, Rig, deliveries
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

WAITS = "waiting for ClickHouse"


@pytest.mark.parametrize(
    "insert", ["downloads_log", pytest.param("points_log", marks=pytest.mark.slow)]
)
def test_an_insert_that_timed_out_after_it_was_applied_is_repeated(rig: Rig, insert: str) -> None:
    for worker in rig.running_workers():
        worker.stop()
    worker = rig.start_worker(BREAKOUT_INSERT_TIMEOUT_SECONDS="2")
    trap = rig.proxy.trap(f"INSERT INTO {insert}", Stage.APPLIED)
    for piece in deliveries(f"timeout-{insert}"):
        rig.publish(piece)
    trap.wait()
    rig.wait_for_log(worker, WAITS)
    rig.verify()
    trap.release(forward=False)


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        pytest.param(OVERLOADED, "HTTP status 503", id="overloaded"),
        pytest.param(READ_ONLY, "TABLE_IS_READ_ONLY", id="read-only"),
        pytest.param(TOO_MANY_PARTS, "TOO_MANY_PARTS", id="too-many-parts"),
    ],
)
def test_a_clickhouse_that_refuses_for_now_is_waited_for(
    rig: Rig, refusal: Refusal, said: str
) -> None:
    rig.caught_up_worker()
    rig.proxy.refusal = refusal
    refused = rig.proxy.refused
    rig.publish(deliveries(f"refusing-{refusal.code}", parts=1)[0])
    wait_until("inserts are refused", lambda: rig.proxy.refused >= refused + 3)
    rig.proxy.refusal = None
    rig.verify()
    assert any(said in worker.log.read_text() for worker in rig.running_workers())


def test_a_slow_clickhouse_is_kept_up_with(rig: Rig) -> None:
    rig.caught_up_worker()
    rig.proxy.insert_seconds = 0.7
    for piece in deliveries("slow", parts=6):
        rig.publish(piece)
    rig.verify()


def test_a_user_that_may_not_write_ends_the_worker_which_says_so(rig: Rig) -> None:
    for worker in rig.running_workers():
        assert worker.stop() == 0
    rig.publish(deliveries("reader", parts=1)[0])
    reader = rig.start_worker(
        BREAKOUT_CLICKHOUSE_USER="reader", BREAKOUT_CLICKHOUSE_PASSWORD=READER_PASSWORD
    )
    assert reader.process.wait(60) != 0
    said = reader.log.read_text()
    assert "does not allow this to user 'reader' (BREAKOUT_CLICKHOUSE_USER)" in said
    assert READER_PASSWORD not in said
    rig.start_worker()
    rig.verify()


def test_clickhouse_killed_under_load_comes_back_with_its_data(rig: Rig) -> None:
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


def test_clickhouse_away_at_the_start_and_sigterm_meanwhile(rig: Rig) -> None:
    first, second = deliveries("clickhouse-away")
    for worker in rig.running_workers():
        assert worker.stop() == 0
    rig.clickhouse.kill()
    rig.publish(first)
    waiting = rig.start_worker()
    rig.wait_for_log(waiting, WAITS)
    assert waiting.stop() == 0
    patient = rig.start_worker()
    rig.wait_for_log(patient, WAITS)
    rig.publish(second)
    rig.clickhouse.start()
    rig.verify()
    assert patient.is_running

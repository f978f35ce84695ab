"""ClickHouse is slow, overloaded, killed or not there yet: workers wait and lose nothing."""

import pytest

from tests.faults.clickhouse_proxy import Moment
from tests.faults.rig import Rig, deliveries
from tests.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

WAITS = "waiting for ClickHouse"


@pytest.mark.parametrize("insert", ["downloads_log", "points_log"])
def test_an_insert_that_timed_out_after_it_was_applied_is_repeated(rig: Rig, insert: str) -> None:
    for worker in rig.alive():
        worker.stop()
    worker = rig.start_worker(BREAKOUT_INSERT_TIMEOUT_SECONDS="2")
    trap = rig.proxy.trap(f"INSERT INTO {insert}", Moment.ANSWERED)
    for piece in deliveries(f"timeout-{insert}"):
        rig.tell(piece)
    trap.wait()
    rig.wait_for_log(worker, WAITS)
    rig.judge()
    trap.release(forward=False)


def test_an_overloaded_clickhouse_is_waited_for(rig: Rig) -> None:
    worker = rig.worker()
    rig.proxy.overloaded = True
    rig.tell(deliveries("overloaded", pieces=1)[0])
    wait_until("inserts are refused", lambda: rig.proxy.refused >= 3)
    rig.proxy.overloaded = False
    rig.judge()
    assert worker.process.poll() is None
    assert "HTTP status 503" in worker.log.read_text()


def test_clickhouse_killed_under_load_comes_back_with_its_data(rig: Rig) -> None:
    first, second, third = deliveries("clickhouse-killed", pieces=3)
    worker = rig.worker()
    trap = rig.proxy.trap("INSERT INTO downloads_log", Moment.BEFORE)
    rig.tell(first)
    trap.wait()
    rig.clickhouse.kill()
    trap.release()
    rig.tell(second)
    rig.wait_for_log(worker, WAITS)
    rig.clickhouse.start()
    rig.tell(third)
    rig.judge()
    assert worker.process.poll() is None


def test_clickhouse_away_at_the_start_and_sigterm_meanwhile(rig: Rig) -> None:
    first, second = deliveries("clickhouse-away")
    for worker in rig.alive():
        assert worker.stop() == 0
    rig.clickhouse.kill()
    rig.tell(first)
    waiting = rig.start_worker()
    rig.wait_for_log(waiting, WAITS)
    assert waiting.stop() == 0
    patient = rig.start_worker()
    rig.wait_for_log(patient, WAITS)
    rig.tell(second)
    rig.clickhouse.start()
    rig.judge()
    assert patient.process.poll() is None

"""The broker is out of reach for a while: workers recover, or end and their successors do."""

import signal
import time

import pytest

from tests.support.clickhouse_proxy import Moment
from tests.support.rig import LinkedRig, deliveries
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(700)]

SESSION_SECONDS = 6.0
"""After that long without a sign of life the broker gives a worker's partitions away."""


def test_connections_cut_while_a_batch_is_written(rig: LinkedRig) -> None:
    first, second = deliveries("broker-cut")
    rig.worker()
    trap = rig.proxy.trap("INSERT INTO downloads_log", Moment.BEFORE)
    rig.tell(first)
    trap.wait()
    rig.link.cut()
    trap.release()
    turned_away = rig.link.turned_away
    wait_until("workers try again", lambda: rig.link.turned_away > turned_away + 3)
    rig.link.mend()
    rig.tell(second)
    rig.judge_with_successors()


def test_a_broker_that_is_silent_for_longer_than_a_session(rig: LinkedRig) -> None:
    first, second = deliveries("broker-silent")
    rig.worker()
    trap = rig.proxy.trap("INSERT INTO downloads_log", Moment.BEFORE)
    rig.tell(first)
    trap.wait()
    assert rig.broker.process is not None
    rig.broker.process.send_signal(signal.SIGSTOP)
    try:
        trap.release()
        over = time.monotonic() + SESSION_SECONDS + 1
        wait_until("the session is over", lambda: time.monotonic() > over)
    finally:
        rig.broker.process.send_signal(signal.SIGCONT)
    rig.tell(second)
    rig.judge_with_successors()

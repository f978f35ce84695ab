"""The broker is unreachable for a while: workers recover, or exit and are restarted."""

import signal
import time

import pytest

from tests.support.clickhouse_proxy import Stage
from tests.support.rig import LinkedRig, deliveries
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(700)]

SESSION_SECONDS = 6.0
"""Without heartbeats for this time a worker loses its partitions."""


@pytest.mark.slow
def test_connections_cut_during_a_write(rig: LinkedRig) -> None:
    first, second = deliveries("broker-cut")
    rig.caught_up_worker()
    trap = rig.proxy.trap("INSERT INTO downloads_log", Stage.BEFORE)
    rig.publish(first)
    trap.wait()
    rig.link.cut()
    trap.release()
    refused = rig.link.refused
    wait_until("workers retry", lambda: rig.link.refused > refused + 3)
    rig.link.restore()
    rig.publish(second)
    rig.verify_with_restarts()


def test_broker_paused_longer_than_the_session_timeout(rig: LinkedRig) -> None:
    first, second = deliveries("broker-silent")
    rig.caught_up_worker()
    trap = rig.proxy.trap("INSERT INTO downloads_log", Stage.BEFORE)
    rig.publish(first)
    trap.wait()
    assert rig.broker.process is not None
    rig.broker.process.send_signal(signal.SIGSTOP)
    try:
        trap.release()
        over = time.monotonic() + SESSION_SECONDS + 1
        wait_until("the session is over", lambda: time.monotonic() > over)
    finally:
        rig.broker.process.send_signal(signal.SIGCONT)
    rig.publish(second)
    rig.verify_with_restarts()

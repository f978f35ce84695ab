"""Workers join and leave the group while observations arrive."""

from itertools import count

import pytest

from tests.support.clickhouse_proxy import Stage
from tests.support.events import model, observed
from tests.support.pipeline import Worker
from tests.support.rig import Rig, deliveries
from tests.support.waiting import wait_until
from tests.support.wrong_clock import wrong_clock

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

MODELS = [f"shared/model-{number}" for number in range(24)]


def test_workers_leave_and_join_under_load(rig: Rig) -> None:
    hours_since_release = count()

    def publish_until_active(worker: Worker) -> None:
        def is_active() -> bool:
            hours = next(hours_since_release)
            # Every third slice is late, so that rows are restated on both sides of a rebalance.
            age = (hours - 4.5 if hours % 3 == 2 else hours) / 24
            rig.publish([observed(MODELS, age, [1000 * hours + n for n in range(len(MODELS))])])
            return "state rebuilt from ClickHouse" in worker.log.read_text()

        wait_until("the worker processes its partitions", is_active, seconds=120)

    rig.publish([model(one) for one in MODELS])
    leaving = rig.caught_up_worker()
    staying = rig.start_worker()
    publish_until_active(staying)
    assert leaving.stop() == 0
    joining = rig.start_worker()
    publish_until_active(joining)
    rig.verify()
    assert staying.is_running
    assert joining.stop() == 0
    rig.verify()


@pytest.mark.slow
def test_rebalance_during_a_slow_insert(rig: Rig) -> None:
    first, second = deliveries("moving")
    slow = rig.caught_up_worker()
    trap = rig.proxy.trap("INSERT INTO downloads_log", Stage.BEFORE)
    rig.publish(first)
    trap.wait()
    joining = rig.start_worker()
    rig.publish(second)
    # It has taken over partitions with records that the other has not acknowledged.
    rig.wait_for_log(joining, "state rebuilt from ClickHouse")
    trap.release()
    rig.verify()
    assert slow.is_running
    assert joining.stop() == 0
    rig.verify()


@pytest.mark.parametrize("offset", ["-1h", pytest.param("+1h", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_worker_with_a_clock_an_hour_off(rig: Rig, offset: str) -> None:
    first, second, third = deliveries(f"clock{offset}", parts=3)
    correct = rig.caught_up_worker()
    rig.publish(first)
    wrong = rig.start_worker(**wrong_clock(offset))
    rig.publish(second)
    rig.wait_for_log(wrong, "serving metrics")
    assert correct.stop() == 0
    rig.publish(third)
    rig.verify()
    assert "state rebuilt from ClickHouse" in wrong.log.read_text()
    assert wrong.stop() == 0
    rig.verify()

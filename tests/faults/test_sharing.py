"""Workers share the partitions, leave and join, while observations keep coming."""

from itertools import count

import pytest

from tests.faults.events import model, seen
from tests.faults.rig import Rig
from tests.pipeline import Worker
from tests.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

MODELS = [f"shared/model-{number}" for number in range(24)]


def test_workers_leave_and_join_under_load(rig: Rig) -> None:
    moments = count()

    def tell_until_working(worker: Worker) -> None:
        def works() -> bool:
            hours = next(moments)
            # Every third slice is late, so that rows are restated on both sides of a rebalance.
            age = (hours - 4.5 if hours % 3 == 2 else hours) / 24
            rig.tell([seen(MODELS, age, [1000 * hours + n for n in range(len(MODELS))])])
            return "state rebuilt from ClickHouse" in worker.log.read_text()

        wait_until("the worker has partitions and works on them", works, seconds=120)

    rig.tell([model(one) for one in MODELS])
    leaving = rig.worker()
    staying = rig.start_worker()
    tell_until_working(staying)
    assert leaving.stop() == 0
    joining = rig.start_worker()
    tell_until_working(joining)
    rig.judge()
    assert staying.process.poll() is None
    assert joining.stop() == 0
    rig.judge()

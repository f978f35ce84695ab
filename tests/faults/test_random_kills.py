"""Two hundred kills at random points under load: workers, ClickHouse, the broker."""

import time
from itertools import count
from random import Random

import pytest

from tests.support.events import model, observed
from tests.support.rig import LinkedRig
from tests.support.server_process import Server

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(3600)]

KILLS = 200
MODELS = [f"killed/model-{number}" for number in range(40)]


def test_two_hundred_kills_at_random_points(rig: LinkedRig, request: pytest.FixtureRequest) -> None:
    random = Random(20261125)
    # The embedded broker forgets its log when it dies: what was in it cannot be asked for again.
    durable = "kafka" in request.node.name
    moments = count()
    rig.publish([model(one) for one in MODELS])
    rig.caught_up_worker()

    def load() -> None:
        """Publish observations in part late, in part again."""
        hours = next(moments)
        age = (hours - random.choice([0, 0, 0, 4.5, 30])) / 24
        counts = [1000 * hours + random.randrange(500) for _ in MODELS]
        rig.publish([observed(MODELS, max(age, 0), counts)])

    def kill_server(server: Server) -> None:
        server.kill()
        time.sleep(random.uniform(0, 0.5))  # how long it is away
        server.start()

    for number in range(KILLS):
        load()
        time.sleep(random.uniform(0, 0.6))  # any point of what it causes
        dice = random.random()
        if dice < 0.1:
            kill_server(rig.clickhouse)
        elif dice < 0.15 and durable:
            kill_server(rig.broker)
        else:
            for worker in rig.running_workers()[:1]:
                worker.kill()
        while len(rig.running_workers()) < 2:
            rig.start_worker()
        if number % 20 == 19:
            rig.verify_with_restarts()
    rig.verify_with_restarts()

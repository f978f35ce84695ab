"""Two hundred random kills under load: workers, ClickHouse, the broker."""

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


def test_two_hundred_random_kills(rig: LinkedRig, request: pytest.FixtureRequest) -> None:
    random = Random(20261125)
    # The embedded broker loses its log when it is killed.
    durable = "kafka" in request.node.name
    hours_since_release = count()
    rig.publish([model(one) for one in MODELS])
    rig.caught_up_worker()

    def load() -> None:
        """Publish observations, some of them late or repeated."""
        hours = next(hours_since_release)
        age = (hours - random.choice([0, 0, 0, 4.5, 30])) / 24
        counts = [1000 * hours + random.randrange(500) for _ in MODELS]
        rig.publish([observed(MODELS, max(age, 0), counts)])

    def kill_server(server: Server) -> None:
        server.kill()
        time.sleep(random.uniform(0, 0.5))  # downtime
        server.start()

    for number in range(KILLS):
        load()
        time.sleep(random.uniform(0, 0.6))  # any point of its processing
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

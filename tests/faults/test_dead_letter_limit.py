"""A worker that can read no record stops instead of rejecting a whole topic."""

import pytest

from breakout.contract.topics import DEAD_LETTERS, DOWNLOADS
from tests.support.events import model, observed, of_one_partition
from tests.support.pipeline import Worker
from tests.support.rig import Rig

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

PARTITION = 2
LIMIT = 5


def letters(rig: Rig) -> int:
    return len(rig.consume(DEAD_LETTERS.name))


@pytest.mark.slow
def test_dead_letter_limit_stops_the_worker_across_restarts(rig: Rig) -> None:
    for worker in rig.running_workers():
        assert worker.stop() == 0
    (one,) = of_one_partition("limit", 1, rig.settings.partitions, PARTITION)
    rig.publish([model(one), observed([one], 1, [5])])
    before = letters(rig)

    def start() -> Worker:
        return rig.start_worker(BREAKOUT_DEAD_LETTER_LIMIT=str(LIMIT))

    # As many as the limit, and readable ones: the worker continues.
    start()
    for number in range(LIMIT):
        rig.publish_bytes(DOWNLOADS.name, PARTITION, b"of a newer release %d" % number)
    rig.verify()
    assert letters(rig) == before + LIMIT

    # One more, and a readable one after it: no dead letter is sent, also after restarts.
    offset = rig.publish_bytes(DOWNLOADS.name, PARTITION, b"one more")
    rig.publish([observed([one], 2, [9])])
    for worker in (rig.running_workers()[0], start(), start()):
        assert worker.process.wait(60) != 0
        log = worker.log.read_text()
        assert f"breakout.downloads, partition {PARTITION}: more than {LIMIT} of 100" in log
        assert f"the latest at offset {offset}" in log
        assert "BREAKOUT_DEAD_LETTER_LIMIT" in log
    assert letters(rig) == before + LIMIT
    assert rig.lag()[DOWNLOADS.name] == 2

    # A worker with a greater limit continues, and loses nothing.
    rig.start_worker(BREAKOUT_DEAD_LETTER_LIMIT=str(LIMIT + 1))
    rig.verify()
    assert letters(rig) == before + LIMIT + 1
    (known,) = rig.rows(
        "SELECT count() AS letters, max(offset) AS latest FROM dead_letters FINAL "
        f"WHERE topic = '{DOWNLOADS.name}' AND partition = {PARTITION} "
        f"AND offset >= {offset} - 10"
    )
    assert known == {"letters": LIMIT + 1, "latest": offset}

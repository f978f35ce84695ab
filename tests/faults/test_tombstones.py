"""A tombstone deletes a key from a compacted topic; workers go on, and rows stay."""

import pytest

from breakout.contract import NameRecord
from breakout.contract.topics import DEAD_LETTERS, MODELS, NAMES, partition_of
from tests.support.events import DAY0, model, observed
from tests.support.rig import Rig

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

MANY = 25
"""More than may be unreadable of 100 records."""
MODEL = "tombstones/known"
NAME = NameRecord(source="tombstones", name="a/known", observed_at=DAY0, open=True)


def test_tombstones_of_compacted_topics_stop_no_worker(rig: Rig) -> None:
    worker = rig.caught_up_worker()
    letters = len(rig.consume(DEAD_LETTERS.name))
    rig.publish([model(MODEL), observed([MODEL], 1, [100])])
    rig.publish([NAME])
    for topic, known in ((MODELS.name, MODEL), (NAMES.name, NAME.key)):
        unknown = [f"tombstones/unknown-{number}" for number in range(MANY)]
        for key in (*unknown, known):
            partition = partition_of(known, rig.settings.partitions)
            rig.publish_bytes(topic, partition, None, key=key.encode())
    # The model is registered as it was: what is observed of it is scored.
    rig.publish([observed([MODEL], 2, [200])])
    rig.verify()
    assert worker.is_running
    assert len(rig.consume(DEAD_LETTERS.name)) == letters
    (row,) = rig.rows(f"SELECT open FROM names WHERE source = '{NAME.source}'")
    assert row == {"open": True}
    rig.wait_for_log(worker, "keys were deleted from the topic")
    # Said again, it holds again; the next worker reads what this one did.
    rig.publish([model(MODEL, tracked=False, hour=30)])
    assert worker.stop() == 0
    rig.start_worker()
    rig.verify()

"""A tombstone deletes a key from a compacted topic; workers continue, and rows stay."""

import pytest

from breakout.contract import NameRecord
from breakout.contract.topics import DEAD_LETTERS, MODELS, NAMES, partition_of
from tests.support.events import DAY0, model, observed
from tests.support.rig import Rig

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

TOMBSTONES = 25
"""More than the limit of unreadable records."""
MODEL = "tombstones/known"
NAME = NameRecord(source="tombstones", name="a/known", observed_at=DAY0, open=True)


@pytest.mark.slow
def test_worker_continues_after_tombstones(rig: Rig) -> None:
    worker = rig.caught_up_worker()
    letters = len(rig.consume(DEAD_LETTERS.name))
    rig.publish([model(MODEL), observed([MODEL], 1, [100])])
    rig.publish([NAME])
    for topic, known in ((MODELS.name, MODEL), (NAMES.name, NAME.key)):
        unknown = [f"tombstones/unknown-{number}" for number in range(TOMBSTONES)]
        for key in (*unknown, known):
            partition = partition_of(known, rig.settings.partitions)
            rig.publish_bytes(topic, partition, None, key=key.encode())
    # The model is still registered: its observations become points.
    rig.publish([observed([MODEL], 2, [200])])
    rig.verify()
    assert worker.is_running
    assert len(rig.consume(DEAD_LETTERS.name)) == letters
    (row,) = rig.rows(f"SELECT open FROM names WHERE source = '{NAME.source}'")
    assert row == {"open": True}
    rig.wait_for_log(worker, "keys deleted from the topic")
    # A new record registers it again; the next worker loads the same state.
    rig.publish([model(MODEL, tracked=False, hour=30)])
    assert worker.stop() == 0
    rig.start_worker()
    rig.verify()

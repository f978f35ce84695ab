"""Observations that arrive very late, repeatedly, or one by one."""

import pytest

from breakout.contract import DownloadsSlice
from tests.support.events import observed
from tests.support.rig import Rig, deliveries

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]


def test_observations_arrive_a_year_late_repeatedly_and_singly(rig: Rig) -> None:
    (arrivals,) = deliveries("late", parts=1)
    slices = [one for one in arrivals if isinstance(one, DownloadsSlice)]
    models = sorted({model_id for one in slices for model_id in one.models})
    rig.caught_up_worker()
    rig.publish(arrivals)
    rig.verify()
    rig.publish([observed(models, -365, range(1, len(models) + 1))])
    rig.verify()
    rig.publish(arrivals)
    rig.verify()
    rig.publish(
        observed([model_id], 0, [None]).model_copy(
            update={
                "source": one.source,
                "origin": one.origin,
                "observed_at": one.observed_at,
                "downloads_all_time": [count],
            }
        )
        for one in reversed(slices)
        for model_id, count in zip(one.models, one.downloads_all_time, strict=True)
    )
    rig.verify()

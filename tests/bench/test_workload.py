from datetime import datetime

from bench.workload import Workload
from breakout.contract import DownloadsSlice, read_event
from breakout.contract.topics import partition_of

Observation = tuple[str, datetime, int | None]


def observations(workload: Workload, values: list[tuple[str, str, int, bytes]]) -> set[Observation]:
    found = set()
    for _topic, _key, partition, value in values:
        one = read_event(DownloadsSlice, value)
        for model_id, total in zip(one.models, one.downloads_all_time, strict=True):
            assert partition_of(model_id, workload.partitions) == partition
            found.add((model_id, one.observed_at, total))
    return found


def test_slices_equal_single_observations() -> None:
    workload = Workload(300)
    slices = observations(workload, list(workload.slices(0, 3, size=50)))
    assert len(slices) == 4 * 300
    assert observations(workload, list(workload.singles(0, 3, contract=True))) == slices


def test_reference_is_the_growth_of_the_running_maximum() -> None:
    workload = Workload(400)
    columns = zip(workload.ids, *(workload.counters(n).tolist() for n in range(70)), strict=True)
    fell = 0
    for model_id, *totals in columns:
        highest = totals[0]
        for total in totals[1:]:
            fell += total < highest
            highest = max(highest, total)
        assert workload.gained(69)[model_id] == highest - totals[0]
    assert fell

"""Positions are committed with the record before them."""

from faust.types import TP

from breakout.kafka.positions import LastRecord
from streams.positions import ReadMarks

PARTITION = TP("t", 0)


def test_position_is_committed_with_the_record_before_it() -> None:
    marks = ReadMarks()
    for offset in (4, 5, 9):  # 6 to 8 were compacted away
        marks.add(PARTITION, offset, 1000 + offset)
    assert LastRecord.of(marks.committed(PARTITION, 6).metadata) == (5, 1005)
    assert LastRecord.of(marks.committed(PARTITION, 8).metadata) == (5, 1005)
    assert LastRecord.of(marks.committed(PARTITION, 10).metadata) == (9, 1009)
    assert marks.newest(PARTITION) == (9, 1009)


def test_started_worker_restores_the_record_before_its_position() -> None:
    first, second = ReadMarks(), ReadMarks()
    first.add(PARTITION, 4, 1004)
    second.restart(PARTITION, first.committed(PARTITION, 5))
    assert second.newest(PARTITION) == (4, 1004)
    assert LastRecord.of(second.committed(PARTITION, 5).metadata) == (4, 1004)


def test_position_without_a_record_before_it_is_committed_alone() -> None:
    marks = ReadMarks()
    assert marks.committed(PARTITION, 3) == (3, "")
    marks.add(PARTITION, 7, None)
    marks.add(PARTITION, 8, -1)
    marks.restart(PARTITION, None)
    assert marks.committed(PARTITION, 9) == (9, "")
    marks.add(PARTITION, 9, 1009)
    assert marks.committed(PARTITION, 9) == (9, "")


def test_metadata_of_other_clients_is_ignored() -> None:
    for metadata in (None, "", "read", "read x of 3", "read 1 of -3", "read 1 of 2 more"):
        assert LastRecord.of(metadata) is None

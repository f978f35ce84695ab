"""Every section runs, at a tiny size, on the broker this machine has."""

import pytest

from bench.__main__ import SECTIONS
from bench.broker import KIND
from bench.sizes import TINY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("section", SECTIONS)
def test_section_measures_all_its_figures(section: str) -> None:
    steps: list[str] = []
    found = list(SECTIONS[section](TINY, steps.append))
    assert found
    assert steps
    assert len({one.name for one in found}) == len(found)
    for one in found:
        assert one.section == section
        if KIND == "kafka" or "Apache Kafka" not in one.note:
            assert one.value is not None, one

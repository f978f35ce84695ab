"""Which repositories are young, and what then counts as the all-time counter."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.hub.counters import Counters
from collectors.hub.young import is_young

AT = datetime(2024, 8, 1, 6, tzinfo=UTC)
DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
OLDER = "2022-03-02T23:29:04.000Z"
COUNTS = st.none() | st.integers(0, 2**63 - 1)


def counters(all_time: int | None, monthly: int | None, created: Any) -> Counters:
    row = {"id": "a/x", "downloadsAllTime": all_time, "downloads": monthly, "createdAt": created}
    return Counters.model_validate(row)


@given(
    all_time=COUNTS, monthly=COUNTS, age=st.timedeltas(min_value=-400 * DAY, max_value=400 * DAY)
)
def test_young_model_without_all_time_counter_has_its_30_day_counter(
    all_time: int | None, monthly: int | None, age: timedelta
) -> None:
    one = counters(all_time, monthly, (AT - age).isoformat())
    if all_time is None and -DAY <= age < 30 * DAY:
        assert one.total(AT) == monthly
        assert one.is_young(AT) is (monthly is not None)
    else:
        assert one.total(AT) == all_time
        assert not one.is_young(AT)


@pytest.mark.parametrize(
    ("age", "young"),
    [
        (timedelta(), True),
        (30 * DAY - MILLISECOND, True),
        (30 * DAY, False),
        (-DAY, True),
        (-DAY - MILLISECOND, False),
    ],
)
def test_repository_is_young_until_30_days_after_creation(age: timedelta, *, young: bool) -> None:
    assert is_young(AT - age, AT) is young


def test_creation_time_that_means_older_is_never_young() -> None:
    observed_at = datetime(2022, 3, 5, tzinfo=UTC)
    assert not counters(None, 5, OLDER).is_young(observed_at)
    assert counters(None, 5, "2022-03-02T23:29:05.000Z").is_young(observed_at)


@pytest.mark.parametrize(
    "created", [None, "yesterday", "", 1722492000, [AT.isoformat()], {}, "9" * 5000, True]
)
def test_invalid_creation_time_is_unknown_and_costs_no_counter(created: Any) -> None:
    one = counters(None, 5, created)
    assert (one.created_at, one.downloads_30d) == (None, 5)
    assert one.total(AT) is None


@pytest.mark.parametrize(
    "created",
    ["2024-07-31T06:00:00.000Z", "2024-07-31T06:00:00", "2024-07-31T08:00:00+02:00", AT - DAY],
)
def test_creation_time_is_utc_unless_it_has_a_zone(created: Any) -> None:
    assert counters(None, 5, created).created_at == AT - DAY

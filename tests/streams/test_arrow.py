"""Arrow tables of rows, and rows of tables."""

from datetime import UTC, date, datetime

import pyarrow as pa

from streams.arrow import COUNT, DATE, TEXT, TIMESTAMP, day_start_ms, iter_rows, table_of

SCHEMA = {"name": TEXT, "day": DATE, "at": TIMESTAMP, "count": COUNT}


def test_table_has_the_schema_with_and_without_rows() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [("a", date(2026, 3, 1), at, 2**63), ("b", 0, 0, None)]
    table = table_of(SCHEMA, rows)
    assert table.schema == pa.schema(SCHEMA) == table_of(SCHEMA, []).schema
    assert list(iter_rows(table)) == [
        rows[0],
        ("b", date(1970, 1, 1), datetime(1970, 1, 1, tzinfo=UTC), None),
    ]


def test_start_of_a_day_is_equal_for_dates_and_day_numbers() -> None:
    assert day_start_ms(date(1970, 1, 3)) == day_start_ms(2) == 2 * 86_400_000

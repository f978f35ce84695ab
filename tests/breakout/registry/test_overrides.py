"""The project's own overrides."""

from datetime import date
from pathlib import Path

import pytest

from breakout.registry.overrides import Overrides, load_overrides, read_overrides
from breakout.registry.table import RegistryFileError

HEADER = "model_id,field,value,reason,source\n"


def test_the_shipped_file_is_readable() -> None:
    assert isinstance(load_overrides(None), Overrides)


def test_each_field(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(
        "# mine\n"
        + HEADER
        + "a/x,total_params_b,109,name states active,https://example.org\n"
        + "a/x,active_params_b,17,card,https://example.org\n"
        + "a/x,region,eu,moved,https://example.org\n"
        + "a/x,released_at,2025-04-05,post,https://example.org\n"
    )
    assert load_overrides(file) == Overrides(
        {"a/x": 109.0}, {"a/x": 17.0}, {"a/x": "eu"}, {"a/x": date(2025, 4, 5)}
    )


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a/x,size,1,r,s", "mine.csv, line 2, field: must be one of total_params_b, "),
        ("a/x,total_params_b,big,r,s", "mine.csv, line 2, value: must be a positive decimal"),
        ("a/x,region,mars,r,s", "line 2, value: must be one of us"),
        ("a/x,released_at,yesterday,r,s", "line 2, value: must be a date"),
        ("a/x,region,eu,,s", "line 2, reason: must not be blank"),
        ("a/x,region,eu,r, ", "line 2, source: must not be blank"),
        ("a/x,region,eu,r,s\na/x,region,us,r,s", "line 3, model_id: .* is on line 2 already"),
    ],
)
def test_a_wrong_row_is_refused(row: str, problem: str) -> None:
    with pytest.raises(RegistryFileError, match=problem):
        read_overrides((HEADER + row).encode(), file="mine.csv")


def test_a_file_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(
        RegistryFileError, match=r"BREAKOUT_OVERRIDES_FILE: cannot read .*none\.csv"
    ):
        load_overrides(tmp_path / "none.csv")

"""What names of other sources mean: the shipped map, and a person's own over it."""

from pathlib import Path

import pytest

from breakout.registry.names import Meaning, load_names, read_names
from breakout.registry.table import RegistryFileError

HEADER = "source,name,open,model_id\n"


def test_the_shipped_map_is_readable_and_sorted() -> None:
    names = load_names(None)
    assert list(names.meanings) == sorted(names.meanings, key=lambda key: (_order(key[0]), key[1]))
    assert names.meaning("openrouter", "openai/gpt-oss-20b") == Meaning(True, "openai/gpt-oss-20b")
    assert names.meaning("openrouter", "openai/gpt-4o") == Meaning(False, None)
    assert names.meaning("openrouter", "nobody/knows") is None


def _order(source: str) -> int:
    return ("openrouter", "arena", "artificial-analysis").index(source)


def test_a_file_of_ones_own_goes_over_the_shipped_map(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(
        "# mine\n"
        + HEADER
        + "openrouter,openai/gpt-4o,open,openai/gpt-4o\n"
        + "arena,some name,open,\n"
    )
    names = load_names(file)
    assert names.meaning("openrouter", "openai/gpt-4o") == Meaning(True, "openai/gpt-4o")
    assert names.meaning("arena", "some name") == Meaning(True, None)
    assert names.meaning("openrouter", "openai/gpt-oss-20b") == Meaning(True, "openai/gpt-oss-20b")


def test_an_organisation_is_that_of_the_weights_else_the_vendors() -> None:
    names = load_names(None)
    assert names.org("openrouter", "qwen/qwq-32b", "qwen") == "Qwen"
    assert names.org("openrouter", "qwen/not-reviewed", "qwen") == "Qwen"
    assert names.org("openrouter", "nobody/knows", "nobody") is None
    assert names.org("openrouter", "nobody/knows") is None


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("openrouter,a/b,yes,A/B", "mine.csv, line 2, open: must be open or closed, got 'yes'"),
        ("openrouter,a/b,closed,A/B", "line 2, model_id: must be empty for a closed model"),
        ("openrouter,a/b,open,AB", "line 2, model_id: must be organisation/name"),
        (",a/b,open,A/B", "line 2, source: must not be blank"),
        ("openrouter, ,open,A/B", "line 2, name: must not be blank"),
        ("openrouter,a/b,open,A/B\nopenrouter,a/b,closed,", "line 3, source: .* on line 2 already"),
    ],
)
def test_a_wrong_row_is_refused(row: str, problem: str) -> None:
    with pytest.raises(RegistryFileError, match=problem):
        read_names((HEADER + row).encode(), file="mine.csv")


def test_a_file_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(RegistryFileError, match=r"BREAKOUT_NAMES_FILE: cannot read .*none\.csv"):
        load_names(tmp_path / "none.csv")

"""Which id counts for a repository that was renamed."""

from datetime import UTC, datetime

from breakout.contract.events import ModelRecord
from breakout.registry.renames import Renames, primary

ONE, OTHER = "621ffdc036468d709f17434d", "621ffdc036468d709f17434e"


def record(
    model_id: str,
    renamed_to: str | None = None,
    *,
    tracked: bool = True,
    repository: str | None = None,
) -> ModelRecord:
    return ModelRecord(
        model_id=model_id,
        observed_at=datetime(2026, 8, 22, tzinfo=UTC),
        org=model_id.partition("/")[0],
        region=None,
        total_params_b=None,
        released_at=None,
        size_bin=None,
        tracked=tracked,
        renamed_to=renamed_to,
        repository=repository,
    )


def renames(tracked: set[str], *records: ModelRecord) -> Renames:
    return Renames(tracked, {one.model_id: one for one in records})


def test_repository_counts_under_the_tracked_one_of_its_names() -> None:
    former = renames({"a/old"}, record("a/old", "a/new"))
    assert {former.counted(name) for name in ("a/old", "a/new")} == {"a/old"}
    both = renames({"a/old", "a/new"}, record("a/old", "a/new", tracked=False), record("a/new"))
    assert {both.counted(name) for name in ("a/old", "a/new")} == {"a/new"}
    current = renames({"a/new"}, record("a/old", "a/new", tracked=False), record("a/new"))
    assert {current.counted(name) for name in ("a/old", "a/new")} == {"a/new"}
    neither = renames(set(), record("a/old", "a/new", tracked=False))
    assert {neither.counted(name) for name in ("a/old", "a/new")} == {"a/new"}


def test_name_that_nobody_knows_is_itself() -> None:
    assert renames({"a/b"}).counted("c/d") == "c/d"
    assert renames({"a/b"}).names("c/d") == {"c/d"}


def test_several_renames_in_a_row_are_one_repository() -> None:
    found = renames({"a/1"}, record("a/1", "a/2"), record("a/2", "a/3", tracked=False))
    assert {found.counted(f"a/{number}") for number in (1, 2, 3)} == {"a/1"}
    assert found.names("a/3") == found.names("a/1") == {"a/1", "a/2", "a/3"}


def test_names_that_were_swapped_end() -> None:
    found = renames({"a/1"}, record("a/1", "a/2"), record("a/2", "a/1"))
    assert found.counted("a/1") == "a/1"
    assert found.names("a/2") == {"a/1", "a/2"}


def test_repository_is_found_by_its_own_id() -> None:
    found = renames({"a/old"}, record("a/old", "a/new", repository=ONE))
    assert found.counted("b/unknown-name", ONE) == "a/old"
    # Another repository took the name over.
    assert found.counted("a/new", OTHER) == "a/new"


def test_newest_rename_counts() -> None:
    found = renames({"a/old"}, record("a/old", "a/new"))
    found.add("a/old", "b/newest", ONE)
    assert found.counted("b/newest") == "a/old"
    assert found.names("a/old") == {"a/old", "b/newest"}


def test_of_two_former_names_the_one_that_counted_goes_on() -> None:
    known = {"a/2": record("a/2", "b/new"), "a/1": record("a/1", "b/new", tracked=False)}
    assert primary(["a/1", "a/2"]) == "a/1"
    assert primary(["a/1", "a/2"], known) == "a/2"
    assert Renames({"a/1", "a/2"}, known).counted("b/new") == "a/2"

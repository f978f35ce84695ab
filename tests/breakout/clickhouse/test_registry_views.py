"""The registry's history, and sizes in dispute."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from breakout.contract import DerivativesSlice, ModelRecord
from streams.derivatives import rows as derivative_rows
from streams.derivatives.state import SourceState
from streams.downloads import rows

FIRST = datetime(2026, 3, 2, 7, tzinfo=UTC)
WEEK = timedelta(weeks=1)


def record(model_id: str, week: int, **facts: Any) -> ModelRecord:
    return ModelRecord.model_validate(
        {
            "model_id": model_id,
            "observed_at": FIRST + week * WEEK,
            "org": model_id.partition("/")[0],
            "region": "us",
            "region_source": "organization_regions.csv",
            "total_params_b": 7.6,
            "size_source": "safetensors",
            "size_bin": "7-9B",
            "released_at": date(2026, 2, 1),
            "released_source": "created_at",
            "tracked": True,
        }
        | facts
    )


def insert(client: Client, *records: ModelRecord) -> None:
    for one in records:
        client.insert_arrow("models_log", rows.models([one]))


def test_every_change_of_a_fact_is_a_row_of_history(client: Client) -> None:
    corrected = {"released_at": date(2026, 2, 3), "released_source": "correction"}
    disputed = {"total_params_b": None, "size_source": None, "size_bin": None}
    insert(
        client,
        record("a/x", 0),
        record("a/x", 1),
        # Records may be stored in any order.
        record("a/x", 3, **corrected, tracked=False),
        record("a/x", 2, **corrected),
        record("a/x", 4, **corrected, **disputed, size_disputed=True, region=None),
        record("a/x", 4, **corrected, **disputed, size_disputed=True, region=None),
        record("a/y", 4, license="mit"),
        record("a/y", 5, license="apache-2.0"),
    )
    found = client.query("SELECT * FROM registry_changes ORDER BY changed_at, field").result_rows
    assert [(*row[:4], (row[4].replace(tzinfo=UTC) - FIRST) // WEEK, row[5]) for row in found] == [
        ("a/x", "released_at", "2026-02-01", "2026-02-03", 2, "correction"),
        ("a/x", "tracked", "true", "false", 3, "tracked-models"),
        ("a/x", "region", "us", None, 4, "organization_regions.csv"),
        ("a/x", "size_bin", "7-9B", None, 4, "safetensors"),
        ("a/x", "size_disputed", "false", "true", 4, "witnesses"),
        ("a/x", "total_params_b", "7.6", None, 4, "safetensors"),
        ("a/x", "tracked", "false", "true", 4, "tracked-models"),
    ]


def test_registry_of_a_past_moment(client: Client) -> None:
    insert(
        client,
        record("a/discovered", -1, tracked=False),
        record("a/x", 0),
        record("a/x", 2, tracked=False),
        record("a/new", 2),
        record("a/x", 1, size_bin="10-50B"),
    )

    def as_of(moment: datetime) -> list[tuple[Any, ...]]:
        found = client.query(
            "SELECT model_id, size_bin, tracked FROM models_as_of(moment = %(moment)s) "
            "ORDER BY model_id",
            {"moment": f"{moment:%Y-%m-%d %H:%M:%S}"},
        )
        return [tuple(row) for row in found.result_rows]

    other = ("a/discovered", "7-9B", False)
    assert as_of(FIRST + 9 * WEEK) == [
        other, ("a/new", "7-9B", True), ("a/x", "7-9B", False),
    ]  # fmt: skip
    assert as_of(FIRST + WEEK) == [other, ("a/x", "10-50B", True)]
    assert as_of(FIRST) == [other, ("a/x", "7-9B", True)]
    # The registry was not kept before its first reading.
    assert as_of(FIRST - 50 * WEEK) == [other, ("a/x", "7-9B", True)]
    columns = client.query("SELECT * FROM models_as_of(moment = '2026-03-02 07:00:00')")
    assert columns.column_names == client.query("SELECT * FROM models").column_names


def test_disputed_size_is_listed_with_its_witnesses(client: Client) -> None:
    witnesses = {"size_parameters_b": 89.0, "size_total_b": 89.0, "size_name_b": 314.0}
    settled = record("a/settled", 0, size_total_b=1.0, size_name_b=7.0)
    disputed = record("a/Grok-314B", 0, size_bin=None, size_disputed=True, **witnesses)
    insert(client, settled, disputed)
    found = client.query(
        "SELECT model_id, manual_b, parameters_b, total_b, name_b FROM size_disputes"
    ).result_rows
    assert found == [("a/Grok-314B", None, 89.0, 89.0, 314.0)]
    insert(client, record("a/Grok-314B", 1, **witnesses))
    assert client.query("SELECT * FROM size_disputes").result_rows == []


def test_derivatives_stay_with_a_base_that_was_renamed(client: Client) -> None:
    insert(
        client,
        record("ren/Old-7B", 0, renamed_to="ren/New-7B"),
        record("gone/Old-7B", 0, renamed_to="now/New-7B", tracked=False),
        record("now/New-7B", 0),
    )
    parents = {
        "kid/a": "ren/Old-7B", "kid/b": "ren/New-7B", "kid/c": "gone/Old-7B", "kid/d": "now/New-7B",
    }  # fmt: skip
    for model_id, parent in parents.items():
        row = ["huggingface", model_id, [parent], 1]
        client.insert(
            "derivatives_log",
            [[*row, 100, FIRST]],
            ["source", "model_id", "parents", "version", "downloads_all_time", "observed_at"],
        )
        client.insert(
            "lineage_log",
            [[*row, [parent], [1]]],
            ["source", "model_id", "roots", "version", "ancestors", "depths"],
        )
    found = client.query(
        "SELECT model_id, bases, base_orgs, counted FROM derivatives ORDER BY model_id"
    ).result_rows
    assert found == [
        ("kid/a", ["ren/Old-7B"], ["ren"], True),
        ("kid/b", ["ren/Old-7B"], ["ren"], True),
        ("kid/c", ["now/New-7B"], ["now"], True),
        ("kid/d", ["now/New-7B"], ["now"], True),
    ]


def survey(week: int, parents: dict[str, str], bases: list[str]) -> DerivativesSlice:
    nothing = [None] * len(parents)
    return DerivativesSlice(
        source="huggingface",
        scrape_id=str(week),
        observed_at=FIRST + week * WEEK,
        models=list(parents),
        parents=[[parent] for parent in parents.values()],
        relation=nothing,
        created_at=nothing,
        downloads_all_time=[100] * len(parents),
        downloads_30d=nothing,
        bases=bases,
    )


def test_derivative_that_a_complete_listing_lacks_is_withdrawn(client: Client) -> None:
    surveys = [
        survey(0, {"kid/gone": "a/x", "kid/stays": "a/x", "kid/unlisted": "a/y"}, ["a/x", "a/y"]),
        survey(1, {"kid/stays": "a/x", "kid/renamed": "a/x"}, ["a/x"]),
    ]
    for order in (surveys, surveys[::-1]):
        client.command("TRUNCATE TABLE derivatives_log")
        client.command("TRUNCATE TABLE derivative_listings")
        state = SourceState()
        for one in order:
            changes = {"huggingface": state.update([one])}
            client.insert_arrow("derivatives_log", derivative_rows.derivatives(changes))
            client.insert_arrow("derivative_listings", derivative_rows.listings([one]))
        found = client.query("SELECT model_id FROM derivatives ORDER BY model_id").result_rows
        assert [name for (name,) in found] == ["kid/renamed", "kid/stays", "kid/unlisted"]


def test_weights_of_a_name_follow_a_rename(client: Client) -> None:
    insert(client, record("gone/Old-7B", 0, renamed_to="now/New-7B", tracked=False))
    insert(client, record("now/New-7B", 0))
    client.insert(
        "names_log",
        [["arena", "old", "gone/Old-7B"], ["arena", "other", "a/b"], ["arena", "none", None]],
        ["source", "name", "model_id"],
    )
    found = client.query("SELECT name, model_id, org, region FROM names ORDER BY name").result_rows
    assert found == [
        ("none", None, None, None),
        ("old", "now/New-7B", "now", "us"),
        ("other", "a/b", "a", None),
    ]

"""The five files of the tracked-models list."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakout.registry.table import RegistryFileError
from breakout.registry.tracked_list import (
    Correction,
    OrganizationRegion,
    Parameters,
    TrackedList,
)
from tests.breakout.registry.lists import CORRECTIONS, MODELS, PARAMETERS, REGIONS, tracked_list


def errors(found: TrackedList) -> list[str]:
    return [str(error) for error in found.errors]


def test_all_files_become_typed_rows() -> None:
    found = tracked_list()
    assert sorted(found.models) == [
        "acorn/Acorn-7B",
        "acorn/Acorn-R1",
        "birch/Birch-2B",
        "cedar/Cedar-30B-A3B",
    ]
    assert found.organisations == ("acorn", "birch", "cedar")
    assert found.regions["birch"] == OrganizationRegion("birch", "eu", "Berlin, Germany")
    assert found.parameters["acorn/Acorn-R1"] == Parameters(
        "acorn/Acorn-R1", 671.0, 37.0, True, "The Hub shows 685, with 14 more"
    )
    assert found.parameters["birch/Birch-2B"].active_params_b is None
    assert found.parameters["birch/Birch-2B"].is_moe is False
    assert found.corrections["acorn/Acorn-7B"] == Correction(
        "acorn/Acorn-7B", date(2025, 8, 4), date(2025, 8, 5), "1 day early"
    )
    assert errors(found) == []


def test_comment_lines_before_the_header_are_passed_over() -> None:
    assert CORRECTIONS.startswith("#")
    assert list(tracked_list().corrections) == ["acorn/Acorn-7B"]


def test_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    windows = b"\xef\xbb\xbf" + MODELS.replace("\n", "\r\n").encode()
    assert tracked_list(models=windows) == tracked_list()


@pytest.mark.parametrize(
    ("file", "row", "problem"),
    [
        ("models", "acorn,Other,acorn/Another", "models.csv, line 5, modelId: must be acorn/Other"),
        ("models", "acorn,a/b,acorn/a/b", "line 5, modelId: must be organisation/name"),
        ("models", ",x,/x", "line 5, org: must be a namespace"),
        ("models", "acorn,x", "line 5, row: must have 3 fields, got 2"),
        ("models", 'acorn,"x,acorn/x', "line 5, row: not CSV"),
        ("models", "acorn,Acorn-7B,acorn/Acorn-7B", "is on line 2 already"),
        ("extra", "acorn, x,acorn/ x", "extra_models.csv, line 3, modelId"),
        ("regions", "oak,europe,", "organization_regions.csv, line 5, region: must be one of us, "),
        ("regions", "oak,,", "line 5, region: must be one of us, china, eu, other, unknown"),
        ("regions", "acorn,us,", "line 5, hf_org: acorn is on line 2 already"),
        ("parameters", "a/x,0,,,", "model_parameters.csv, line 4, total_params_b: must be a pos"),
        ("parameters", "a/x,-7,,,", "total_params_b: must be a positive decimal"),
        ("parameters", "a/x,1e3,,,", "total_params_b"),
        ("parameters", "a/x,nan,,,", "total_params_b"),
        ("parameters", "a/x,,,,", "total_params_b"),
        ("parameters", f"a/x,{'9' * 400},,,", "total_params_b"),
        ("parameters", "a/x,7,8,,", "active_params_b: 8 is above total_params_b 7"),
        ("parameters", "a/x,7,none,,", "active_params_b: must be a positive decimal"),
        ("parameters", "a/x,7,,yes,", "is_moe: must be true, false or blank, got 'yes'"),
        ("parameters", "x,7,,,", "model_id: must be organisation/name"),
        ("corrections", "a/x,2025-08-04,2025-8-5,", "line 6, actual_release_date: must be a date"),
        ("corrections", "a/x,2025-02-30,2025-08-05,", "hf_created_at: must be a date such as"),
        ("corrections", "a/x,,2025-08-05,", "hf_created_at"),
    ],
)
def test_a_malformed_row_is_named_and_stops_no_other(file: str, row: str, problem: str) -> None:
    sound = tracked_list()
    text = {
        "models": MODELS,
        "extra": "org,model,modelId\ncedar,Cedar-30B-A3B,cedar/Cedar-30B-A3B\n",
        "regions": REGIONS,
        "parameters": PARAMETERS,
        "corrections": CORRECTIONS,
    }[file]
    follows = {
        "models": "oak,Oak-9B,oak/Oak-9B",
        "extra": "oak,Oak-9B,oak/Oak-9B",
        "regions": "zelkova,us,",
        "parameters": "oak/Oak-9B,9,,,",
        "corrections": "oak/Oak-9B,2025-01-01,2025-01-02,",
    }[file]
    found = tracked_list(**{file: f"{text}{row}\n{follows}\n"})
    assert len(errors(found)) == 1
    assert problem in errors(found)[0]
    part = "models" if file == "extra" else file
    assert set(getattr(found, part)) - set(getattr(sound, part)) in ({"oak/Oak-9B"}, {"zelkova"})
    assert set(getattr(sound, part)) <= set(getattr(found, part))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"models": "org,model,model_id\n"}, "models.csv: the header must be org,model,modelId"),
        ({"regions": ""}, "organization_regions.csv: the header must be hf_org,region,notes"),
        ({"parameters": "<html>"}, "model_parameters.csv: the header must be model_id,total"),
        ({"corrections": b"\xff\xfe"}, "release_date_corrections.csv: must be UTF-8"),
        ({"models": "org,model,modelId\n"}, "models.csv: has no valid row"),
    ],
)
def test_a_file_of_another_form_is_refused(changed: dict[str, str | bytes], problem: str) -> None:
    with pytest.raises(RegistryFileError, match="^" + problem):
        tracked_list(**changed)


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("models", "org,model,modelId", "org,model,modelId,added"),
        ("extra", "org,model,modelId", "modelId,org,model"),
        ("regions", "hf_org,region,notes", "country,hf_org,region"),
        (
            "parameters",
            "model_id,total_params_b,active_params_b,is_moe,notes",
            "model_id,total_params_b,active_params_b,is_moe,count_status,notes",
        ),
        (
            "parameters",
            "model_id,total_params_b,active_params_b,is_moe,notes",
            "active_params_b,total_params_b,model_id",
        ),
        (
            "corrections",
            "model_id,hf_created_at,actual_release_date,notes",
            '"model_id","hf_created_at", actual_release_date,reviewed_at',
        ),
    ],
)
def test_columns_are_found_by_name_and_others_are_ignored(
    file: str, before: str, after: str
) -> None:
    known = before.split(",")
    columns = [column.strip(' "') for column in after.split(",")]
    rows = {
        "models": [["acorn", "Acorn-7B", "acorn/Acorn-7B"]],
        "extra": [["cedar", "Cedar-30B-A3B", "cedar/Cedar-30B-A3B"]],
        "regions": [["acorn", "china", ""]],
        "parameters": [["acorn/Acorn-R1", "671", "37", "", ""]],
        "corrections": [["acorn/Acorn-7B", "2025-08-04", "2025-08-05", ""]],
    }[file]

    def text(header: str, columns: list[str]) -> str:
        lines = [dict(zip(known, row, strict=True)) for row in rows]
        return (
            "\n".join([header, *(",".join(x.get(c, "?") for c in columns) for x in lines)]) + "\n"
        )

    found = tracked_list(**{file: text(after, columns)})
    assert found == tracked_list(**{file: text(before, known)})


def test_a_header_that_names_a_column_twice_is_refused() -> None:
    with pytest.raises(RegistryFileError, match=r"models\.csv.*names a column twice"):
        tracked_list(models="org,org,model,modelId\nacorn,acorn,Acorn,acorn/Acorn\n")


def test_a_model_on_both_lists_is_tracked_once() -> None:
    found = tracked_list(extra="org,model,modelId\nacorn,Acorn-7B,acorn/Acorn-7B\n")
    assert len(found.models) == 3
    assert errors(found) == []


@given(st.binary(max_size=300))
def test_any_rows_give_rows_or_errors(rows: bytes) -> None:
    try:
        found = tracked_list(models=MODELS.encode() + rows)
    except RegistryFileError as error:
        assert "models.csv: must be UTF-8" in str(error)  # noqa: PT017
    else:
        assert {"acorn/Acorn-7B", "birch/Birch-2B"} <= set(found.models)

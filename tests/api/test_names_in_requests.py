"""Requests with unknown values, unknown names and repeated parameters are rejected by name."""

from typing import Any

import httpx
import pytest

from breakout.settings import Settings


def problem(api: httpx.Client, path: str) -> tuple[int, dict[str, Any]]:
    response = api.get(path)
    assert response.headers["content-type"] == "application/problem+json"
    errors = {error["parameter"]: error for error in response.json()["errors"]}
    for error in errors.values():
        assert error["detail"] in response.json()["detail"]
    return response.status_code, errors


@pytest.mark.parametrize(
    ("path", "parameter", "nearest"),
    [
        ("/v1/models?size_bin=8B", "size_bin", ["7-9B"]),
        ("/v1/models?size_bin=7B", "size_bin", ["7-9B"]),
        ("/v1/ram?size_bin=0.5", "size_bin", ["<1B"]),
        ("/v1/downloads?size_bin=250b%2B", "size_bin", ["250B+"]),
        ("/v1/models?region=USA", "region", ["us"]),
        ("/v1/organisations?region=China", "region", ["china"]),
        ("/v1/downloads?by=organisation", "by", ["org"]),
        ("/v1/downloads?by=org,size", "by", ["size_bin"]),
        ("/v1/downloads?interval=monthly", "interval", ["month"]),
        ("/v1/downloads?source=hugging-face", "source", ["huggingface"]),
        ("/v1/scrapes?source=HuggingFace", "source", ["huggingface"]),
        ("/v1/breakouts?status=bursts", "status", ["burst"]),
        ("/v1/derivatives?relation=finetuned", "relation", ["finetune"]),
        ("/v1/leaderboards?source=lmarena", "source", ["arena"]),
        ("/v1/leaderboards?board=texts", "board", ["text"]),
        ("/v1/leaderboards?index_version=4.2", "index_version", ["4.0", "4.1"]),
        ("/v1/ram?baseline=lives", "baseline", ["live"]),
        ("/v1/ram/curves?baseline=LIVE", "baseline", ["live"]),
        ("/v1/baselines?baseline=frozen-2025", "baseline", []),
        ("/v1/baselines?size_bin=unknown", "size_bin", []),
        ("/v1/models?format=exel", "format", []),
        ("/v1/models?limti=5", "limti", ["limit"]),
        ("/v1/downloads?group_by=org", "group_by", []),
    ],
)
def test_unknown_value_is_rejected_with_the_nearest(
    api: httpx.Client, path: str, parameter: str, nearest: list[str]
) -> None:
    status, errors = problem(api, path)
    assert status == 422
    assert list(errors) == [parameter]
    assert errors[parameter]["nearest"][: len(nearest)] == nearest
    assert "Choose one of: " in errors[parameter]["detail"]


@pytest.mark.parametrize(
    ("path", "parameter", "nearest"),
    [
        ("/v1/models/qi/big-300b", "model", ["qi/Big-300B"]),
        ("/v1/models/qi/Big-300", "model", ["qi/Big-300B"]),
        ("/v1/downloads?model=Big-300B", "model", ["qi/Big-300B"]),
        ("/v1/ram?model=qi/Big-300B&model=am/Hug-400B", "model", ["am/Huge-400B"]),
        ("/v1/ram/curves?model=am/Big-300B&format=csv", "model", ["qi/Big-300B"]),
        ("/v1/models?org=QI", "org", ["qi"]),
        ("/v1/downloads?org=qi&org=nowher", "org", ["nowhere"]),
        ("/v1/derivatives?org=olds", "org", ["old"]),
        ("/v1/leaderboards?org=lose", "org", []),
        ("/v1/downloads?by=family&family=qi/Big", "family", ["qi/Big-300B"]),
        ("/v1/models?model=zzz/zzz", "model", []),
    ],
)
def test_unknown_name_is_not_found_and_nearest_are_named(
    api: httpx.Client, path: str, parameter: str, nearest: list[str]
) -> None:
    status, errors = problem(api, path)
    assert status == 404
    assert list(errors) == [parameter]
    assert errors[parameter]["nearest"][: len(nearest)] == nearest
    assert errors[parameter]["detail"].startswith("Unknown ")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/ram?model=am/Sizeless",
        "/v1/downloads?model=am/Unseen-7B",
        "/v1/ram?org=nowhere&region=china",
        "/v1/downloads?family=u/a",
        "/v1/leaderboards?board=text_style_control",
        "/v1/ram?baseline=live_cutoff",
    ],
)
def test_known_name_without_data_is_an_empty_response(api: httpx.Client, path: str) -> None:
    for _ in range(2):
        response = api.get(path)
        assert response.status_code == 200, response.text
        assert response.json()["data"] == []


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/v1/downloads?interval=day&interval=month", ["interval"]),
        ("/v1/models?limit=1&limit=1", ["limit"]),
        (
            "/v1/ram?as_of=2026-03-01&as_of=2026-03-02&baseline=live&baseline=live",
            ["as_of", "baseline"],
        ),
        ("/v1/models/qi/Big-300B?format=csv&format=json", ["format"]),
        ("/badge/ram/qi/Big-300B.svg?baseline=live&baseline=live", ["baseline"]),
    ],
)
def test_repeated_parameter_of_one_value_is_rejected(
    api: httpx.Client, path: str, parameters: list[str]
) -> None:
    status, errors = problem(api, path)
    assert status == 422
    assert list(errors) == parameters


def test_all_invalid_values_are_named(api: httpx.Client) -> None:
    status, errors = problem(api, "/v1/models?region=moon&region=mars&size_bin=8B&limit=0")
    assert status == 422
    assert set(errors) == {"region", "size_bin", "limit"}
    assert "moon" in errors["region"]["detail"]
    assert "mars" in errors["region"]["detail"]


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/downloads?since=2026-03-01&until=2026-02-01", "until"),
        ("/v1/models?released_from=2026-03-01&released_to=2026-02-01", "released_to"),
        ("/v1/ram?min_age=90&max_age=7", "max_age"),
    ],
)
def test_range_that_ends_before_it_begins_is_rejected(
    api: httpx.Client, path: str, parameter: str
) -> None:
    status, errors = problem(api, path)
    assert status == 422
    assert list(errors) == [parameter]


@pytest.mark.parametrize(
    ("path", "sources"),
    [
        ("downloads", ["huggingface", "tracked-models"]),
        ("downloads?source=modelscope", ["modelscope", "tracked-models"]),
        ("scrapes?source=modelscope", ["modelscope"]),
        ("scrapes", ["huggingface", "modelscope"]),
        ("inference/share", ["openrouter"]),
        ("inference/tokens", ["openrouter", "tracked-models"]),
        ("leaderboards?source=arena", ["arena", "tracked-models"]),
        ("leaderboards", ["arena", "artificial-analysis", "tracked-models"]),
        ("derivatives", ["huggingface", "tracked-models"]),
    ],
)
def test_response_names_its_sources_alone(api: httpx.Client, path: str, sources: list[str]) -> None:
    page = api.get(f"/v1/{path}").json()
    assert page["sources"] == sources
    titles = {row["source"]: row["title"] for row in api.get("/v1/sources").json()["data"]}
    for name, title in titles.items():
        assert (title in page["citation"]) == (name in sources), name


def test_other_formats_carry_the_citation_in_headers(api: httpx.Client) -> None:
    page = api.get("/v1/downloads?by=org&interval=month").json()
    for name in ("csv", "parquet", "arrow"):
        response = api.get(f"/v1/downloads?by=org&interval=month&format={name}")
        cited = response.headers["content-location"]
        assert cited in response.headers["breakout-citation"]
        assert f"url = {{{cited}}}" in response.headers["breakout-bibtex"]
        same = response.headers["breakout-citation"].replace(cited, page["self"])
        assert same == page["citation"]


def test_latest_only_response_cites_an_address_that_stays_valid(
    ram_api: tuple[httpx.Client, Settings],
) -> None:
    client, _ = ram_api
    page = client.get("/v1/ram?baseline=live_fixed&limit=2").json()
    assert page["as_of"] in page["citation"]
    assert page["self"] == "/v1/ram?baseline=live_fixed&limit=2"
    assert client.get(page["self"]).json() == page

"""The simulated Hub's answers have the Hub's documented shapes."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from breakout.simulation import Catalog, Model, SimulatedClock, SimulatedHub
from breakout.simulation.query import LIST_FIELDS
from tests.breakout.simulation.conftest import NOW

Query = list[tuple[str, str | int | float | bool | None]]

COUNTERS: Query = [
    ("expand[]", "downloads"),
    ("expand[]", "downloadsAllTime"),
    ("expand[]", "likes"),
]


async def all_pages(http: httpx.AsyncClient, **query: str | int) -> list[list[str]]:
    pages, url = [], str(http.base_url.copy_with(path="/api/models", params=query))
    while url:
        answer = await http.get(url)
        pages.append([row["id"] for row in answer.json()])
        url = answer.links.get("next", {}).get("url", "")
    return pages


async def test_expand_gives_the_id_and_what_was_asked_alone(http: httpx.AsyncClient) -> None:
    rows = (await http.get("/api/models", params=[("author", "acorn"), *COUNTERS])).json()
    assert len(rows) == 7
    for row in rows:
        assert set(row) == {"_id", "id", "downloads", "downloadsAllTime", "likes"}
        assert re.fullmatch("[0-9a-f]{24}", row["_id"])
        assert isinstance(row["downloadsAllTime"], int)


async def test_expand_without_brackets_is_the_same(http: httpx.AsyncClient) -> None:
    with_brackets = await http.get("/api/models", params=COUNTERS)
    without = await http.get(
        "/api/models", params=Query(("expand", field) for _, field in COUNTERS)
    )
    assert without.json() == with_brackets.json()


async def test_every_documented_field_has_its_documented_shape(http: httpx.AsyncClient) -> None:
    query: Query = [("expand[]", field) for field in LIST_FIELDS]
    rows = {row["id"]: row for row in (await http.get("/api/models", params=query)).json()}
    tiny, grown = rows["acorn/tiny-2B"], rows["oak/grown-1B"]
    assert tiny["createdAt"] == "2026-01-02T08:22:59.000Z"
    assert tiny["safetensors"] == {"parameters": {"BF16": 2_000_000_000}, "total": 2_000_000_000}
    assert tiny["gated"] is False
    assert tiny["author"] == "acorn"
    assert tiny["pipeline_tag"] == "text-generation"
    assert tiny["library_name"] == "transformers"
    assert "license:apache-2.0" in tiny["tags"]
    assert "baseModels" not in tiny
    assert grown["gated"] == "manual"
    assert "safetensors" not in grown
    assert grown["baseModels"]["relation"] == "finetune"
    assert [base["id"] for base in grown["baseModels"]["models"]] == ["acorn/tiny-1B"]
    assert grown["cardData"]["base_model"] == "acorn/tiny-1B"
    assert "base_model:finetune:acorn/tiny-1B" in grown["tags"]


async def test_without_expand_the_default_fields_come(http: httpx.AsyncClient) -> None:
    (row, *_) = (await http.get("/api/models")).json()
    assert {"_id", "id", "likes", "private", "downloads", "tags", "createdAt"} <= set(row)
    assert "downloadsAllTime" not in row
    (full, *_) = (await http.get("/api/models", params={"full": "true"})).json()
    assert {"author", "gated", "lastModified", "sha", "siblings"} <= set(full)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("expand[]=downloads&expand[]=downloadz", "at expand[1]"),
        ("expand[]=usedStorage", "at expand[0]"),
        ("expand[]=childrenModelCount", "at expand[0]"),
        ("expand[]=downloads&full=true", "at expand"),
        ("sort=popularity", "at sort"),
        ("direction=down", "at direction"),
        ("limit=0", "at limit"),
        ("limit=many", "at limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=W10", "cursor"),
        ("num_parameters=big", "at num_parameters"),
    ],
)
async def test_a_wrong_query_is_refused(http: httpx.AsyncClient, query: str, says: str) -> None:
    answer = await http.get(f"/api/models?{query}")
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert answer.headers["X-Error-Message"]


async def test_one_model_takes_fields_the_list_refuses(http: httpx.AsyncClient) -> None:
    query = {"expand[]": ["childrenModelCount", "usedStorage"]}
    row = (await http.get("/api/models/acorn/tiny-1B", params=query)).json()
    assert row["childrenModelCount"] == 1
    assert row["usedStorage"] == 2 * 10**9


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"author": "oak"}, ["oak/grown-1B"]),
        ({"author": "Oak"}, []),
        ({"author": "nobody"}, []),
        ({"search": "GROWN"}, ["oak/grown-1B"]),
        ({"filter": "base_model:finetune:acorn/tiny-1B"}, ["oak/grown-1B"]),
        ({"filter": ["license:apache-2.0", "base_model:acorn/tiny-1B"]}, ["oak/grown-1B"]),
        ({"filter": ["license:mit"]}, []),
        ({"gated": "true"}, ["oak/grown-1B"]),
        ({"pipeline_tag": "text-ranking"}, []),
        (
            {"num_parameters": "min:6B,max:6.5B"},
            ["acorn/tiny-6B"],
        ),
    ],
)
async def test_filters(
    http: httpx.AsyncClient, query: dict[str, str | list[str]], ids: list[str]
) -> None:
    answer = await http.get("/api/models", params=query)
    assert [row["id"] for row in answer.json()] == ids


async def test_pages_of_models_with_any_place_in_the_catalog() -> None:
    models = [Model(f"{org}/m{n}") for n in range(9) for org in ("acorn", "oak")]
    async with (
        SimulatedHub(Catalog.of(models), clock=SimulatedClock(NOW)) as hub,
        httpx.AsyncClient(base_url=hub.url) as http,
    ):
        # All of one key, so that only the ids part them.
        pages = await all_pages(http, author="oak", sort="createdAt", limit=2)
    assert [len(page) for page in pages] == [2, 2, 2, 2, 1]
    assert {m for page in pages for m in page} == {f"oak/m{n}" for n in range(9)}


@pytest.mark.parametrize("sort", ["downloads", "likes", "createdAt", "lastModified"])
async def test_pages_hold_every_model_once_and_in_order(http: httpx.AsyncClient, sort: str) -> None:
    falling = await all_pages(http, author="acorn", sort=sort, limit=3)
    assert [len(page) for page in falling] == [3, 3, 1]
    assert [m for page in falling for m in page] == [f"acorn/tiny-{n}B" for n in range(7, 0, -1)]
    rising = await all_pages(http, author="acorn", sort=sort, limit=3, direction=1)
    assert [m for page in rising for m in page] == [f"acorn/tiny-{n}B" for n in range(1, 8)]


async def test_the_next_link_is_absolute_and_holds_the_whole_query(
    hub: SimulatedHub, http: httpx.AsyncClient
) -> None:
    query: Query = [("author", "acorn"), ("limit", "2"), ("sort", "likes"), *COUNTERS]
    answer = await http.get("/api/models", params=query)
    link = httpx.URL(answer.links["next"]["url"])
    assert str(link).startswith(f"{hub.url}/api/models?")
    kept = [pair for pair in link.params.multi_items() if pair[0] != "cursor"]
    assert kept == query
    assert answer.headers["Link"].endswith('>; rel="next"')
    assert set((await http.get(link)).json()[0]) == {
        "_id",
        "id",
        "downloads",
        "downloadsAllTime",
        "likes",
    }


async def test_the_last_page_has_no_link(http: httpx.AsyncClient) -> None:
    assert "Link" not in (await http.get("/api/models?author=acorn&limit=7")).headers


async def test_a_page_holds_at_most_a_thousand() -> None:
    catalog = Catalog.of([f"acorn/tiny-{n}" for n in range(1001)])
    async with (
        SimulatedHub(catalog, clock=SimulatedClock(NOW)) as hub,
        httpx.AsyncClient(base_url=hub.url) as http,
    ):
        pages = await all_pages(http, limit=5000)
    assert [len(page) for page in pages] == [1000, 1]
    assert len({model for page in pages for model in page}) == 1001


async def test_an_unknown_model_is_not_found(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/models/acorn/huge-900B")
    assert answer.status_code == 404
    assert answer.json() == {"error": "Repository not found"}
    assert answer.headers["X-Error-Code"] == "RepoNotFound"


async def test_a_model_comes_goes_moves_and_hides() -> None:
    day = timedelta(days=1)
    catalog = Catalog.of(
        [
            Model("acorn/late", created_at=NOW + day),
            Model("acorn/gone", created_at=NOW - day, deleted_at=NOW + day),
            Model("acorn/hidden", created_at=NOW - day, private_from=NOW + day),
            Model("acorn/old", created_at=NOW - day, renamed_to="oak/new", renamed_at=NOW + day),
        ]
    )
    clock = SimulatedClock(NOW)
    async with (
        SimulatedHub(catalog, clock=clock) as hub,
        httpx.AsyncClient(base_url=hub.url) as http,
    ):
        names = ("acorn/late", "acorn/gone", "acorn/hidden", "acorn/old", "oak/new")

        async def statuses() -> list[int]:
            return [(await http.get(f"/api/models/{name}")).status_code for name in names]

        async def listed(**query: str) -> set[str]:
            return {row["id"] for row in (await http.get("/api/models", params=query)).json()}

        assert await statuses() == [404, 200, 200, 200, 404]
        assert await listed() == {"acorn/gone", "acorn/hidden", "acorn/old"}
        clock.advance(day)
        assert await statuses() == [200, 404, 401, 307, 200]
        assert await listed() == {"acorn/late", "oak/new"}
        assert await listed(author="oak") == {"oak/new"}
        assert await listed(author="acorn") == {"acorn/late"}
        moved = await http.get("/api/models/acorn/old?expand[]=author")
        assert moved.headers["Location"] == "/api/models/oak/new?expand[]=author"
        followed = await http.get("/api/models/acorn/old?expand[]=author", follow_redirects=True)
        assert followed.json()["id"] == "oak/new"
        assert followed.json()["author"] == "oak"
        hidden = await http.get("/api/models/acorn/hidden")
        assert hidden.headers["X-Error-Code"] == "RepoNotFound"


async def test_an_unknown_path_is_not_found(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/nothing")
    assert answer.status_code == 404
    assert "error" in answer.json()


async def test_requests_are_remembered(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    await http.get("/api/models?author=oak", headers={"User-Agent": "reader/1"})
    await http.get("/api/models/acorn/nope")
    await http.get("/simulation/clock")
    listed, missing = hub.requests
    assert (listed.method, listed.path, listed.status) == ("GET", "/api/models", 200)
    assert listed.query == [("author", "oak")]
    assert listed.headers["user-agent"] == "reader/1"
    assert (missing.path, missing.status) == ("/api/models/acorn/nope", 404)


async def test_the_clock_decides_what_is_served(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    async def downloads() -> int:
        query = {"expand[]": "downloadsAllTime"}
        answer = await http.get("/api/models/acorn/tiny-1B", params=query)
        total: int = answer.json()["downloadsAllTime"]
        return total

    before = await downloads()
    answer = await http.post("/simulation/clock", json={"now": "2026-03-20T12:00:00Z"})
    assert answer.json() == {"now": "2026-03-20T12:00:00+00:00", "speed": 0.0}
    assert await downloads() > before
    assert hub.clock.now() == datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"soon", "JSON"),
        (b'{"now": "soon"}', "now"),
        (b'{"now": "2026-03-20T12:00:00"}', "now"),
        (b'{"now": "2026-03-20T12:00:00Z", "speed": -1}', "speed"),
        (b'{"then": "2026-03-20T12:00:00Z"}', "now"),
    ],
)
async def test_a_wrong_clock_is_refused(http: httpx.AsyncClient, body: bytes, says: str) -> None:
    answer = await http.post("/simulation/clock", content=body)
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert datetime.fromisoformat((await http.get("/simulation/clock")).json()["now"]) == NOW


async def test_given_counters_by_http(http: httpx.AsyncClient) -> None:
    body = {"acorn/tiny-1B": [["2026-03-09T00:00:00Z", 9007199254740993, None]]}
    answer = await http.post("/simulation/counters", json=body)
    assert answer.json() == {"models": 1}
    row = (await http.get("/api/models/acorn/tiny-1B", params=Query(COUNTERS))).json()
    assert row["downloadsAllTime"] == 9007199254740993
    assert "downloads" not in row


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"acorn/nope": []}, "acorn/nope"),
        ({"acorn/tiny-1B": [["yesterday", 1, 1]]}, "acorn/tiny-1B"),
        ({"acorn/tiny-1B": [["2026-03-09T00:00:00Z", "many", 1]]}, "acorn/tiny-1B"),
    ],
)
async def test_wrong_counters_are_refused(http: httpx.AsyncClient, body: object, says: str) -> None:
    answer = await http.post("/simulation/counters", json=body)
    assert answer.status_code == 400
    assert says in answer.json()["error"]

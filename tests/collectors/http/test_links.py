"""The Link header: in every form RFC 8288 has, and what is said of one that cannot be read."""

import pytest
from aiohttp import web

from collectors.http.client import Source
from collectors.http.links import LinkError, next_link
from tests.collectors.quick import QUICK
from tests.collectors.scripted import scripted


@pytest.mark.parametrize(
    "header",
    [
        '<p2>; rel="next"',
        "<p2>; rel=next",
        "<p2>;rel=NEXT",
        '<p2>; REL="Next"',
        "<p2>; rel='next'",
        '<p2>; rel="next last"',
        '<p2>; rel="last\tnext"',
        '<p2> ; title="a, \\"b\\"; rel=prev" ; rel = "next"',
        '<p1>; rel="prev", <p2>; rel="next"',
        '<p1?a=1,2;3>; rel="first",<p2>; rel="next",<p9>; rel="last"',
        "</style.css>; rel=preload; as=style; crossorigin, <p2>; rel=next",
        ", , <p2>; rel=next,",
    ],
)
def test_next_page_is_found(header: str) -> None:
    assert next_link(header) == "p2"


@pytest.mark.parametrize(
    "header",
    [
        "",
        " , ",
        '<p>; rel="prev"',
        "<p>",
        '<p>; rel="nextish"',
        '<p>; title="rel=next"',
        "<p>; rel",
    ],
)
def test_last_page_has_no_next(header: str) -> None:
    assert next_link(header) is None


@pytest.mark.parametrize(
    "header", ["p2; rel=next", "<p2; rel=next", "<p2>; rel=next last", '<p>; a="']
)
def test_invalid_link_header_is_an_error(header: str) -> None:
    with pytest.raises(LinkError, match="the Link header is invalid at"):
        next_link(header)


PREFIX = "/artifactory/api/huggingfaceml/hf"


@pytest.mark.parametrize("prefix", ["", PREFIX, "/api"])
@pytest.mark.parametrize(
    "link",
    [
        "https://huggingface.co/api/models?limit=1&cursor=a%3D",
        "{url}{prefix}/api/models?limit=1&cursor=a%3D",
        "/api/models?limit=1&cursor=a%3D",
        "{prefix}/api/models?limit=1&cursor=a%3D",
        "models?limit=1&cursor=a%3D",
        "?limit=1&cursor=a%3D",
    ],
)
async def test_next_page_stays_below_the_mirrors_path(prefix: str, link: str) -> None:
    def page(request: web.Request) -> web.Response:
        if "cursor" in request.query:
            return web.json_response([request.path_qs])
        shown = link.format(url=server.url, prefix=prefix)
        return web.json_response([], headers={"Link": f'<{shown}>; rel="next last"'})

    async with (
        scripted({f"{prefix}/api/models": page}) as server,
        Source("hub", f"{server.url}{prefix}", "HF_ENDPOINT", request_policy=QUICK) as hub,
    ):
        first = await hub.json("/api/models", [("author", "acorn")])
        assert first.next_page == f"{server.url}{prefix}/api/models?limit=1&cursor=a%3D"
        second = await hub.json(first.next_page)
    assert second.content == [f"{prefix}/api/models?limit=1&cursor=a%3D"]
    assert second.next_page is None


async def test_a_mirror_may_page_by_path() -> None:
    answer = web.json_response([], headers={"Link": "</pages/2>; rel=next"})
    async with (
        scripted({f"{PREFIX}/api/models": lambda _: answer}) as server,
        Source("hub", f"{server.url}{PREFIX}", "HF_ENDPOINT", request_policy=QUICK) as hub,
    ):
        assert (await hub.json("/api/models")).next_page == f"{server.url}{PREFIX}/pages/2"

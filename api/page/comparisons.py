"""Routes of the comparison of models, and of charts for the iframes of other sites."""

from fastapi import APIRouter, Request, Response

from api.page.frame import Page, show, show_embedded

router = APIRouter(include_in_schema=False)
COMPARE = Page(
    "compare",
    "Compare models: Breakout",
    "RAM and downloads of open-weight language models beside each other, by age or by date",
    "/v1/ram/curves?format=csv",
)
EMBED = Page(
    "embed",
    "Breakout",
    "Adoption of open-weight language models",
    "/v1/ram/curves?format=csv",
)


@router.get("/compare")
async def compare(request: Request) -> Response:
    """Models beside each other: the query string is the view."""
    return await show(request, COMPARE)


@router.get("/embed/compare")
@router.get("/embed/models/{org}/{name}")
async def embed(request: Request) -> Response:
    """A comparison, or the RAM of a model, in an iframe."""
    return await show_embedded(request, EMBED)

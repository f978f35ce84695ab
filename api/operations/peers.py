"""The models behind a baseline."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.operation import Operation, Row
from api.operations.ram import restated
from api.parameters import OperationParameters, WholeAges
from api.problems import parameter_problem
from api.responses import respond
from breakout.core.ages import MILESTONES
from breakout.core.sizes import SizeBin

router = APIRouter(tags=["RAM"])


class Peer(Row):
    """A model behind a baseline, with its downloads at that age."""

    baseline: str
    size_bin: str
    age_days: int
    rank: int = Field(description="1 = most downloads at that age; 1.0x is between the 5th and 6th")
    model_id: str
    org: str
    region: str | None
    released_at: date | None
    cumulative: int = Field(description="Downloads at that age")
    as_of: datetime = Field(description="When the model had that age, UTC")


class PeersParameters(OperationParameters):
    """The baseline, and filters of its size bins and ages."""

    size_bin: Annotated[list[SizeBin], Field(max_length=100)] = Field([], description="Size bins")
    age_days: WholeAges = Field([])
    baseline: Literal["live", "live_fixed", "live_cutoff"] = Field(
        "live",
        description="live, live_fixed, or live_cutoff at milestones; a frozen one has no peers",
    )

    def latest_only(self) -> str | None:
        """Return why an earlier `as_of` is not available, None if it is."""
        return restated([self.baseline])

    def variant(self) -> str:
        """Return the variant of the query, besides the latest and the earlier."""
        return "live_fixed" if self.baseline == "live_fixed" else "live"


OPERATION = Operation(
    "peers",
    Peer,
    [paging.text("size_bin"), paging.number("age_days"), paging.number("rank")],
    ("huggingface", "tracked-models"),
    {
        "baseline": "live",
        "size_bin": "250B+",
        "age_days": 30,
        "rank": 1,
        "model_id": "qi/Big-300B",
        "org": "qi",
        "region": "china",
        "released_at": "2026-01-15",
        "cumulative": 45000,
        "as_of": "2026-02-14T00:00:00.000Z",
    },
)


@router.get("/baselines/peers", **OPERATION.openapi())
async def baseline_peers(request: Request, params: Annotated[PeersParameters, Query()]) -> Response:
    """The ten models behind a baseline at an age, the one with the most downloads first.

    Fewer than ten are not enough for a baseline. `live_cutoff` is the greatest 10th so far.
    """
    if params.baseline != "live_cutoff":
        return await respond(request, OPERATION, params)
    if not set(params.age_days) <= set(MILESTONES):
        ages = ", ".join(map(str, MILESTONES))
        raise parameter_problem(
            "age_days", f"live_cutoff has peers at milestones only: choose of {ages}"
        )
    ages_of_peers = params.age_days or list(MILESTONES)
    return await respond(request, OPERATION, params, fixed={"age_days": ages_of_peers})

"""A simulated ModelScope: the same invented models by the same names, with fewer downloads."""

from aiohttp import web

from breakout.simulation.catalog import Catalog
from breakout.simulation.clock import SimulatedClock, milliseconds
from breakout.simulation.counters import Counters
from breakout.simulation.rows import hub_time

PREFIX = "/modelscope"
SHARES = {"china": 3, "other": 12, "us": 20, "eu": 25}
"""Divisor of the Hub's downloads, by region of the organisation."""

_MOST_LISTED = 3000


def add_routes(
    app: web.Application, catalog: Catalog, clock: SimulatedClock, counters: Counters
) -> None:
    """Add ModelScope's listing below `PREFIX`, as of the clock."""
    regions = {one.name: one.region or "" for one in catalog.organisations}

    async def models(request: web.Request) -> web.Response:
        owner = request.query.get("owner", "")
        number = int(request.query.get("page_number", "1"))
        size = min(int(request.query.get("page_size", "10")), 50)
        if number * size > _MOST_LISTED:
            return web.json_response({"success": False, "message": "too deep"}, status=400)
        now = clock.now()
        counted = counters.at(milliseconds(now))
        share = SHARES.get(regions.get(owner, ""))
        # The fields, with `params` an integer, null or absent, and many unused, are those of the
        # rows in modelscope.cn/openapi/v1 (unsloth/DeepSeek-R1-Distill-Qwen-7B-GGUF).
        listed = [
            {
                "id": model.id,
                "display_name": model.id.partition("/")[2],
                "downloads": (counted.downloads_all_time[i] or 0) // share,
                "likes": 1,
                "params": model.safetensors_total,
                "license": model.license or "",
                "tags": [f"library:{model.library_name}"],
                "tasks": [],
                "private": False,
                "gated": False,
                "last_modified": hub_time(model.created_at),
            }
            for i, model in enumerate(catalog.models)
            if share and model.org == owner and model.tracked_in and model.public_at <= now
        ]
        return web.json_response(
            {
                "success": True,
                "data": {
                    "models": listed[(number - 1) * size : number * size],
                    "total_count": len(listed),
                    "page_number": number,
                    "page_size": size,
                },
            }
        )

    app.router.add_get(f"{PREFIX}/openapi/v1/models", models)

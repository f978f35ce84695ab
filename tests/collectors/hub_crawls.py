"""Crawls a simulated Hub as the jobs do."""

from breakout.registry.tracked_list import TrackedList
from breakout.settings import Settings
from breakout.simulation import SimulatedHub
from collectors.hub.crawl import SOURCE, Crawl, crawl, hub_source
from collectors.sources.tracked_models import fetch_tracked_list
from tests.collectors.quick import QUICK


async def crawl_tracked(hub: SimulatedHub, collector: str = SOURCE) -> tuple[Crawl, TrackedList]:
    """Return a crawl of the models on the Hub's own tracked-models list, and the list."""
    settings = Settings(hf_endpoint=hub.url, tracked_models_url=hub.tracked_models_url)
    tracked_list = await fetch_tracked_list(settings, QUICK)
    async with hub_source(settings, request_policy=QUICK) as source:
        found = await crawl(
            source, tracked_list.organisations, tracked_list.models, collector=collector
        )
    return found, tracked_list

"""What the jobs that crawl the Hub share."""

from datetime import datetime
from typing import Any

from breakout.registry.tracked_list import TrackedList
from collectors.hub.crawl import SOURCE, Crawl, crawl, hub_source
from collectors.scheduling.job import Job


class HubJob(Job):
    """A job that crawls the Hub and remembers the `_id` of each tracked model's repository."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._repositories: dict[str, str] = {}

    async def crawl(
        self, tracked_list: TrackedList, observed_at: datetime, *, collector: str = SOURCE
    ) -> Crawl:
        """Crawl the list's organisations and models; raises as `hub.crawl.crawl`."""
        async with hub_source(self.settings, request_policy=self.request_policy) as hub:
            found = await crawl(
                hub,
                tracked_list.organisations,
                tracked_list.models,
                collector=collector,
                seed=observed_at.isoformat(),
                repositories=self._repositories,
                on_progress=self.on_progress,
            )
        self._repositories.update(found.repositories)
        return found

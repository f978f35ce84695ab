"""What the jobs that crawl the Hub share."""

from datetime import datetime
from typing import Any

from breakout.contract.events import ModelRecord
from breakout.kafka.compacted import read_models
from breakout.registry.known import check_withdrawals
from breakout.registry.tracked_list import TrackedList
from collectors.hub.crawl import SOURCE, Crawl, crawl, hub_source
from collectors.scheduling.job import Job
from collectors.sources.tracked_models import fetch_tracked_list


class HubJob(Job):
    """A job that crawls the Hub, with the registry's latest records as its memory."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.known: dict[str, ModelRecord] = {}
        """The latest record of each model, as of `read_known`."""
        self._repositories: dict[str, str] = {}

    async def read_known(self) -> None:
        """Read the registry's latest records."""
        self.known = await read_models(self.settings, give_up_after=self.give_up_after)
        for model_id, record in self.known.items():
            if record.repository is not None:
                self._repositories.setdefault(model_id, record.repository)

    async def read_list(self) -> TrackedList:
        """Fetch the tracked-models list.

        Raises as `fetch_tracked_list`, and `RegistryFileError` for a list that withdraws more than
        the share `BREAKOUT_WITHDRAW_LIMIT` of what is known.
        """
        tracked_list = await fetch_tracked_list(self.settings, self.request_policy)
        check_withdrawals(tracked_list, self.known, self.settings.withdraw_limit)
        return tracked_list

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
                known=self.known,
                on_progress=self.on_progress,
            )
        self._repositories.update(found.repositories)
        return found

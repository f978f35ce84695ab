"""What the jobs that publish names of other sources share."""

from breakout.contract.events import NameRecord
from breakout.kafka.compacted import read_names
from collectors.scheduling.job import Job


class NamesJob(Job):
    """A job that publishes names, with their latest records as its memory."""

    async def known_names(self) -> dict[str, NameRecord]:
        """Return the latest record of each name of its source."""
        return await read_names(self.settings, self.name, give_up_after=self.give_up_after)

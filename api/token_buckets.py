"""Accounts of clients: what each uses of so much a minute. Bounded in memory."""

from collections import OrderedDict

MOST_CLIENTS = 100_000


class Buckets:
    """How far each client is ahead of its rate; a whole minute's worth may come at once."""

    def __init__(self) -> None:
        # In the order of their last use.
        self._free_at: OrderedDict[str, float] = OrderedDict()

    def take(self, client: str, rate: float, now: float) -> float:
        """Count one; returns 0, or the seconds until there is room, when there is none."""
        step = 60 / rate
        over = self.ahead(client, now) + step - 60
        # Sums of steps miss a minute by a rounding error.
        if over > step / 1000:
            return over
        self.add(client, 1, rate, now)
        return 0.0

    def add(self, client: str, many: float, rate: float, now: float) -> None:
        """Count `many`, whether there is room or not."""
        self._free_at[client] = now + self.ahead(client, now) + many * 60 / rate
        self._free_at.move_to_end(client)
        if len(self._free_at) > MOST_CLIENTS:
            self._free_at.popitem(last=False)

    def ahead(self, client: str, now: float) -> float:
        """Return the seconds until a client has nothing on its account."""
        return max(self._free_at.get(client, now) - now, 0.0)

"""Token buckets of clients: each refills within a minute. Bounded in memory."""

from collections import OrderedDict

MAX_CLIENTS = 100_000


class TokenBuckets:
    """One bucket per client; a burst may use the tokens of a full minute."""

    def __init__(self) -> None:
        # When each bucket is full again, least recently used first.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, client: str, rate: float, now: float) -> float:
        """Take a token and return 0, or return the seconds to wait if the bucket is empty.

        `rate` is tokens per minute, `now` seconds of a monotonic clock.
        """
        step = 60 / rate
        over = self.deficit(client, now) + step - 60
        # Sums of steps miss a minute by a rounding error.
        if over > step / 1000:
            return over
        self.add(client, 1, rate, now)
        return 0.0

    def add(self, client: str, tokens: float, rate: float, now: float) -> None:
        """Charge tokens, even if the bucket is empty."""
        self._full_at[client] = now + self.deficit(client, now) + tokens * 60 / rate
        self._full_at.move_to_end(client)
        if len(self._full_at) > MAX_CLIENTS:
            self._full_at.popitem(last=False)

    def deficit(self, client: str, now: float) -> float:
        """Return the seconds until a client's bucket is full again."""
        return max(self._full_at.get(client, now) - now, 0.0)

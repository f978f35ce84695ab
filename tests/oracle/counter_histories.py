"""Makes histories of a download counter: what a scraper sees of a Hub that behaves as it does.

A history is a list of observations, `(moment, raw)`, moments in milliseconds since 1970 UTC.
"""

from dataclasses import dataclass, field
from random import Random

from hypothesis import strategies as st

from tests.oracle.counters import DAY, Observation

HOUR = DAY // 24
START = 20_000 * DAY
EDGES = [DAY, 2 * DAY, 4 * DAY, 7 * DAY, 11 * DAY, 14 * DAY]
"""Durations at which a rule changes, and one at which none does."""


@dataclass
class Hub:
    """One counter: how many downloads there are, when it is renewed, when it shows less."""

    random: Random
    days: int
    daily: list[int] = field(default_factory=list)
    begin: int = 0
    renewals: list[int] = field(default_factory=list)
    drops: list[tuple[int, int, int]] = field(default_factory=list)
    """From when, until when, and by how much the counter is lower."""

    def downloaded(self, since: int) -> int:
        """Return the true counter a while after the start."""
        day, rest = divmod(since, DAY)
        return self.begin + sum(self.daily[:day]) + self.daily[day] * rest // DAY

    def shown(self, since: int) -> int:
        """Return what the Hub shows a while after the start."""
        renewed = max((one for one in self.renewals if one <= since), default=0)
        lower = sum(by for begin, end, by in self.drops if begin <= since < end)
        return max(self.downloaded(renewed) - lower, 0)


def hub(random: Random, days: int) -> Hub:
    """Return a counter that is renewed daily, with a few of the things that happen to real ones."""
    made = Hub(random, days)
    rate = random.choice([0, 0.3, 1, 3, 10, 19, 20, 21, 40, 300, 50_000, 3_000_000])
    made.begin = random.choice([0, 0, 7, 1000, 159_747, 50_400_000, 2**53 - 5, 2**53 + 1, 2**60])
    exact = random.random() < 0.3
    made.daily = [
        int(rate * (1 if exact else random.uniform(0.6, 1.4)) + random.random() * (not exact))
        for _ in range(days + 1)
    ]
    hour = random.randrange(24) * HOUR
    for day in range(days + 1):
        made.renewals.append(max(day * DAY + hour, 0))
        if not exact:
            hour = min(max(hour + random.randint(-3 * HOUR, 3 * HOUR), 0), DAY - 1)
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        random.choice([slow_day, stall, burst, death, fall, fall, falls])(made)
    return made


def slow_day(made: Hub) -> None:
    """Let a day count half, and its neighbour the rest too."""
    day = made.random.randrange(made.days)
    half = made.daily[day] // 2
    made.daily[day] -= half
    made.daily[day + 1] += half


def stall(made: Hub) -> None:
    """Skip the renewals of one to five days; the next one catches up."""
    begin = made.random.randrange(made.days) * DAY
    end = begin + made.random.choice([1, 1, 1, 2, 3, 4, 5]) * DAY
    made.renewals = [one for one in made.renewals if not begin <= one < end]


def burst(made: Hub) -> None:
    """Let a few days have a thousand times the downloads."""
    day = made.random.randrange(made.days)
    for at in range(day, min(day + made.random.randint(1, 8), made.days)):
        made.daily[at] = made.daily[at] * 1000 + 310_028


def death(made: Hub) -> None:
    """Let nobody download any more, from some day on or for some days."""
    day = made.random.randrange(made.days)
    end = min(day + made.random.choice([2, 5, 40]), made.days + 1)
    made.daily[day:end] = [0] * (end - day)


def fall(made: Hub) -> None:
    """Let the counter fall, for days or for good."""
    lasts = made.random.choice([*range(1, 14), 1, 2, 3, 14, 14, 15, 20, 1000]) * DAY
    begin = made.random.randrange(made.days * 24) * HOUR
    now = made.downloaded(begin) - made.begin * (made.begin > 2**50)
    by = max(int(now * made.random.choice([0.001, 0.05, 0.3, 0.7, 1])), 1)
    made.drops.append((begin, begin + lasts, by))


def falls(made: Hub) -> None:
    """Let the counter fall several times in a row."""
    for _ in range(made.random.randint(2, 4)):
        fall(made)
    begin = made.drops[-1][0]
    step = made.random.choice([DAY, DAY, 6 * HOUR, 3 * DAY])
    made.drops = [
        (begin + place * step, begin + place * step + end - start, by)
        for place, (start, end, by) in enumerate(made.drops)
    ]


def scrapes(random: Random, days: int) -> list[int]:
    """Return when a scraper looked, from the start on: mostly regularly."""
    every = random.choice([HOUR, 6 * HOUR, *[DAY] * 12]) if days <= 12 else DAY
    loose = random.random() < 0.4
    missed = random.choice([0, 0, 0.1, 0.5])
    at = random.choice([0, 0, HOUR, random.randrange(DAY)])
    moments = set()
    while at < days * DAY:
        if random.random() >= missed:
            late = random.choice([0, 1, -1, random.randrange(every // 2)]) if loose else 0
            moments.add(max(at + late, 0))
        at += every
        if random.random() < 0.01:
            at += random.choice(EDGES) + random.choice([-1, 0, 1])
    return sorted(moments)


def realistic(random: Random) -> list[Observation]:
    """Return a history as a scraper of the Hub has it."""
    days = random.choice([4, 8, 12, 20, 20, 30, 30, 50])
    made = hub(random, days)
    start = START + random.choice([0, 0, HOUR, random.randrange(DAY)])
    history = [(start + since, made.shown(since)) for since in scrapes(random, days)]
    if history and random.random() < 0.05:
        # What an archive had of it, years before.
        history.insert(0, (start - random.choice([40, 365, 2000]) * DAY - 1, made.begin // 3))
    return history


def abrupt(random: Random) -> list[Observation]:
    """Return a history of few values, most of its waits as long as a rule's or nearly so."""
    at = START + random.choice([0, 1, -1, random.randrange(DAY)])
    step = random.choice([1, 10, 19, 20, 21, 100, 10**9, 2**54])
    levels = random.choice([2, 3, 6])
    raw = random.randrange(levels) * step
    history = [(at, raw)]
    for _ in range(random.randint(0, 25)):
        wait = random.choice([HOUR, DAY // 2, DAY, DAY, DAY, DAY, 2 * DAY, 3 * DAY, *EDGES])
        if random.random() < 0.3:
            # To the next midnight; the odd moments come back to full days.
            wait = wait - (at + wait) % DAY + DAY
        at += wait + random.choice([0, 0, 0, 0, 1, -1])
        kind = random.random()
        if kind < 0.3:
            raw += random.choice([step, 1, 7])
        elif kind < 0.6:
            raw = random.choice(history)[1]
        elif kind < 0.65:
            raw = random.randrange(levels) * step
        history.append((at, raw))
    return history


def seeded(seed: int) -> list[Observation]:
    """Return the history of that number."""
    random = Random(seed)  # not for secrets
    return (abrupt if seed % 2 else realistic)(random)


WAITS = st.one_of(
    st.sampled_from([edge + more for edge in EDGES for more in (-1, 0, 1)]),
    st.integers(1, 3 * DAY),
    st.sampled_from([1, HOUR, DAY // 2, DAY, 40 * DAY, 400 * DAY]),
)
VALUES = st.one_of(
    st.integers(0, 5), st.integers(0, 200), st.sampled_from([10**6, 2**53 + 1, 2**62])
)


@st.composite
def histories(draw: st.DrawFn) -> list[Observation]:
    """Return a history of which nothing is certain."""
    at = START + draw(st.one_of(st.just(0), st.integers(0, DAY - 1)))
    observations: list[Observation] = []
    for wait, raw, again in draw(
        st.lists(st.tuples(WAITS, VALUES, st.booleans()), min_size=1, max_size=30)
    ):
        same = again and observations
        observations.append((at, observations[-1][1] if same else raw))
        at += wait
    return observations

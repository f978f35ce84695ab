"""Incidents of the Hub's counters, as real ones have them: declared, and deterministic by seed.

Counters without incidents are exact at every moment. An incident is of one kind (`kinds.py`): it
keeps counters from being renewed, takes from them, adds to them, or leaves rows out of listings.
`observed_incidents` draws them for a span as often and as large as they were observed.
"""

from breakout.simulation.incidents.bursts import Burst
from breakout.simulation.incidents.corrections import Correction
from breakout.simulation.incidents.dead import DeadCounter
from breakout.simulation.incidents.listings import TruncatedListing
from breakout.simulation.incidents.renewal import Renewal
from breakout.simulation.incidents.rollbacks import Rollback
from breakout.simulation.incidents.stalls import HalfStall, Stall

Incident = (
    Renewal | Stall | HalfStall | DeadCounter | Rollback | Correction | Burst | TruncatedListing
)

__all__ = [
    "Burst",
    "Correction",
    "DeadCounter",
    "HalfStall",
    "Incident",
    "Renewal",
    "Rollback",
    "Stall",
    "TruncatedListing",
]

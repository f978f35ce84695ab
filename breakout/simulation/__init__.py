"""A simulated Hugging Face Hub: invented models, real HTTP, on 127.0.0.1.

It responds like the Hub (paths, fields, pagination, rate-limit headers, errors) with the counters
of invented models at a simulated time. `breakout demo` and the tests collect from it.

    async with SimulatedHub(Catalog.of(["acorn/tiny-1B"])) as hub:
        ...  # hub.url for HF_ENDPOINT, hub.tracked_models_url for TRACKED_MODELS_URL
"""

from breakout.simulation.budget import GENEROUS, Limits
from breakout.simulation.catalog import Catalog, Model, Organisation
from breakout.simulation.clock import SimulatedClock
from breakout.simulation.curves import Launch, LevelShift
from breakout.simulation.hub import ReceivedRequest, SimulatedHub
from breakout.simulation.incidents import (
    Burst,
    Correction,
    DeadCounter,
    HalfStall,
    Renewal,
    Rollback,
    Stall,
    TruncatedListing,
)
from breakout.simulation.incidents.observed import observed_incidents
from breakout.simulation.invented import invented_catalog

__all__ = [
    "GENEROUS",
    "Burst",
    "Catalog",
    "Correction",
    "DeadCounter",
    "HalfStall",
    "Launch",
    "LevelShift",
    "Limits",
    "Model",
    "Organisation",
    "ReceivedRequest",
    "Renewal",
    "Rollback",
    "SimulatedClock",
    "SimulatedHub",
    "Stall",
    "TruncatedListing",
    "invented_catalog",
    "observed_incidents",
]

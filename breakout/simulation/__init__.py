"""A simulated Hugging Face Hub: invented models, real HTTP, on 127.0.0.1.

It answers as the Hub does (paths, fields, paging, budget headers, errors) with the counters of
invented models at a simulated moment, and can be told to fail in the ways the Hub fails.
`breakout demo` shows what it serves; tests read it with the program's own collectors.

    async with SimulatedHub(Catalog.of(["acorn/tiny-1B"])) as hub:
        ...  # hub.url for HF_ENDPOINT, hub.tracked_models_url for TRACKED_MODELS_URL
"""

from breakout.simulation.budget import GENEROUS, Limits
from breakout.simulation.catalog import Catalog, Model, Organisation
from breakout.simulation.clock import SimulatedClock
from breakout.simulation.curves import Launch, Turn
from breakout.simulation.faults import Faults
from breakout.simulation.hub import ReceivedRequest, SimulatedHub
from breakout.simulation.incidents import Rollback, Stall
from breakout.simulation.invented import invented_catalog

__all__ = [
    "GENEROUS",
    "Catalog",
    "Faults",
    "Launch",
    "Limits",
    "Model",
    "Organisation",
    "ReceivedRequest",
    "Rollback",
    "SimulatedClock",
    "SimulatedHub",
    "Stall",
    "Turn",
    "invented_catalog",
]

"""Invented organisations and model names; none of them exists."""

from dataclasses import dataclass

import numpy as np

from breakout.simulation.catalog import Organisation

ORGANISATIONS = (
    Organisation("quillmoor", "us"),
    Organisation("Brasswick", "us"),
    Organisation("tallowgrove", "us"),
    Organisation("Fernhollow-AI", "us"),
    Organisation("Moshanling", "china"),
    Organisation("Qiluo-Research", "china"),
    Organisation("baiyuheng", "china"),
    Organisation("Tanxihe-AI", "china"),
    Organisation("Nordvane", "eu"),
    Organisation("valbrume-labs", "eu"),
    Organisation("Ostverhal", "eu"),
    Organisation("Kestrelbay", "other"),
    Organisation("Saltmarsh-Compute", "other"),
    Organisation("driftwood-collective", "unknown", "Collective without a single primary base."),
)
COMMUNITY = (
    Organisation("patchwork-quants"),
    Organisation("lanternfish-merges"),
    Organisation("thimbleweed-tunes"),
)

FAMILIES = {
    "quillmoor": "Vellica",
    "Brasswick": "Ormolune",
    "tallowgrove": "Wickmere",
    "Fernhollow-AI": "Frondeur",
    "Moshanling": "Molinx",
    "Qiluo-Research": "Qilune",
    "baiyuheng": "Yuhara",
    "Tanxihe-AI": "Tanzhen",
    "Nordvane": "Skerrow",
    "valbrume-labs": "Brumelle",
    "Ostverhal": "Heidekin",
    "Kestrelbay": "Windhovel",
    "Saltmarsh-Compute": "Samphira",
    "driftwood-collective": "Flotsome",
}

VARIANTS = ("Instruct", "Base", "Thinking", "Chat", "Coder", "VL", "Instruct-FP8")
UNSIZED = ("Large", "Ultra", "Mini", "Pro", "Flash", "Micro")


@dataclass(frozen=True)
class Size:
    """A model's size, and its label in the name."""

    total_b: float
    """Total parameters in decimal billions."""
    label: str
    """As in the name."""
    active_b: float | None = None


def dense(total_b: float) -> Size:
    """Return the size of a dense model."""
    label = f"{total_b:g}B" if total_b >= 0.5 else f"{total_b * 1000:g}M"  # noqa: PLR2004
    return Size(total_b, label)


def mixture(total_b: float, active_b: float) -> Size:
    """Return the size of a mixture of experts."""
    return Size(total_b, f"{total_b:g}B-A{active_b:g}B", active_b)


class Namer:
    """Generates unique model names."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._taken: set[str] = set()

    def model_id(self, org: str, generation: float, size: str) -> str:
        """Return an id such as `quillmoor/Vellica-2-7B-Instruct`."""
        while True:
            stem = f"{org}/{FAMILIES[org]}-{generation:g}-{size}"
            for variant in self._rng.permutation(VARIANTS):
                model_id = f"{stem}-{variant}"
                if model_id not in self._taken:
                    self._taken.add(model_id)
                    return model_id
            generation = round(generation + 0.1, 1)

    def unsized(self, org: str, generation: float) -> str:
        """Return an id without a size."""
        return self.model_id(org, generation, str(self._rng.choice(UNSIZED)))

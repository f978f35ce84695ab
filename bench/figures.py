"""Figures of a section, their targets, and ratios of figures."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Target:
    """A bound for a figure."""

    bound: float
    at_least: bool = True

    def met(self, value: float) -> bool:
        """Whether a value meets it."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {formatted(self.bound)}"


@dataclass(frozen=True)
class Figure:
    """A measured number; None if it could not be measured, with the reason in the note."""

    section: str
    name: str
    value: float | None
    unit: str
    note: str = ""
    target: Target | None = None

    @property
    def met(self) -> bool | None:
        """Whether it meets its target; None without a target or a value."""
        return None if self.target is None or self.value is None else self.target.met(self.value)

    def as_json(self) -> dict[str, Any]:
        """Return it as a dictionary, with `met`."""
        return {**asdict(self), "met": self.met}


@dataclass(frozen=True)
class Ratio:
    """One figure divided by another, and its target."""

    name: str
    of: tuple[str, str]
    """Section and name."""
    to: tuple[str, str]
    target: Target


def ratios(wanted: Iterable[Ratio], figures: Sequence[Figure]) -> list[Figure]:
    """Return ratios of figures; a ratio needs both of its sections to have run."""
    by_name = {(one.section, one.name): one for one in figures}
    found = []
    for ratio in wanted:
        of, to = by_name.get(ratio.of), by_name.get(ratio.to)
        if of is None or to is None:
            continue
        empty = Figure("ratios", ratio.name, None, "x", target=ratio.target)
        missing = next((one for one in (of, to) if not one.value), None)
        if missing is not None or of.value is None or to.value is None:
            why = missing.note if missing else ""
            found.append(replace(empty, note=f"not measured: {why}"))
        else:
            found.append(replace(empty, value=of.value / to.value))
    return found


def formatted(value: float) -> str:
    """Return a number with three significant digits, and all digits before the point."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

"""What a section measures, the aims beside it, and the ratios that follow from it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Aim:
    """A bound that a figure should keep."""

    bound: float
    at_least: bool = True

    def met(self, value: float) -> bool:
        """Whether a value keeps it."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {said(self.bound)}"


@dataclass(frozen=True)
class Figure:
    """One measured number; None when it could not be measured, and the note says why."""

    section: str
    name: str
    value: float | None
    unit: str
    note: str = ""
    aim: Aim | None = None

    @property
    def met(self) -> bool | None:
        """Whether it keeps its aim; None without an aim or a value."""
        return None if self.aim is None or self.value is None else self.aim.met(self.value)

    def as_json(self) -> dict[str, Any]:
        """Return it as a dictionary, with `met`."""
        return {**asdict(self), "met": self.met}


@dataclass(frozen=True)
class Ratio:
    """One figure divided by another, and what it should be."""

    name: str
    of: tuple[str, str]
    """Section and name."""
    to: tuple[str, str]
    aim: Aim


def ratios(wanted: Iterable[Ratio], figures: Sequence[Figure]) -> list[Figure]:
    """Return the ratios of figures; those of a section that was not run are left out."""
    by_name = {(one.section, one.name): one for one in figures}
    found = []
    for ratio in wanted:
        of, to = by_name.get(ratio.of), by_name.get(ratio.to)
        if of is None or to is None:
            continue
        empty = Figure("ratios", ratio.name, None, "x", aim=ratio.aim)
        lacking = next((one for one in (of, to) if not one.value), None)
        if lacking is not None or of.value is None or to.value is None:
            why = lacking.note if lacking else ""
            found.append(replace(empty, note=f"not measured: {why}"))
        else:
            found.append(replace(empty, value=of.value / to.value))
    return found


def said(value: float) -> str:
    """Return a number with three significant digits, and all digits before the point."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

"""Model ids, and lists of them without duplicates.

A scrape mostly names the models that the one before named. A list that equals one already
checked is that one: it is not checked again, nor held in memory twice.
"""

from collections import OrderedDict
from typing import Annotated, Any

from pydantic import FailFast, Field, ValidatorFunctionWrapHandler, WrapValidator

ModelId = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\s\x00-\x1f]+$")]
"""A model's id as its hub spells it, `organisation/name`; case matters."""

SHORTEST_KEPT = 100
"""Ids. To check fewer costs no more than to look for them."""

MOST_KEPT = 256
"""Lists. The one used longest ago goes first."""

_checked: OrderedDict[tuple[str, int], list[str]] = OrderedDict()
"""Lists that were checked, by their first id and their length."""


def _without_duplicates(ids: Any, check: ValidatorFunctionWrapHandler) -> list[str]:
    if type(ids) is not list or len(ids) < SHORTEST_KEPT or type(ids[0]) is not str:
        return _check(ids, check)
    place = ids[0], len(ids)
    if _checked.get(place) != ids:
        _checked[place] = _check(ids, check)
    _checked.move_to_end(place)
    if len(_checked) > MOST_KEPT:
        _checked.popitem(last=False)
    return _checked[place]


def _check(ids: Any, check: ValidatorFunctionWrapHandler) -> list[str]:
    checked: list[str] = check(ids)
    if len(set(checked)) != len(checked):
        raise ValueError("models holds an id twice")
    return checked


ModelIds = Annotated[list[ModelId], FailFast(), WrapValidator(_without_duplicates)]
"""Model ids, none twice. Equal lists may be one object: do not change it."""

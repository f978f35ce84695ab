"""Model ids, and lists of them without duplicates.

A scrape mostly names the models that the one before named. A list that equals one already
checked is that one: it is not checked again, nor held in memory twice.
"""

from collections import OrderedDict
from threading import Lock
from typing import Annotated, Any

from pydantic import FailFast, Field, ValidatorFunctionWrapHandler, WrapValidator

ModelId = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\s\x00-\x1f]+$")]
"""A model's id as its hub spells it, `organisation/name`; case matters."""

SHORTEST_KEPT = 100
"""Ids. To check fewer costs no more than to look for them."""


class CheckedLists:
    """Lists of ids that were checked, up to `most` ids; the list used longest ago goes first.

    Threads may share it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.ids = 0
        self._lock = Lock()
        self._lists: OrderedDict[tuple[str, int], list[str]] = OrderedDict()

    def find(self, ids: list[Any]) -> list[str] | None:
        """Return the list that equals this one, if it was checked and is still there."""
        place = self._place(ids)
        with self._lock:
            found = self._lists.get(place)
            if found != ids:
                return None
            self._lists.move_to_end(place)
            return found

    def keep(self, ids: list[str]) -> None:
        """Keep a checked list, in the place of one as long that begins with the same id."""
        place = self._place(ids)
        with self._lock:
            self.ids += len(ids) - len(self._lists.pop(place, ()))
            self._lists[place] = ids
            while self.ids > self._most:
                _, oldest = self._lists.popitem(last=False)
                self.ids -= len(oldest)

    @staticmethod
    def _place(ids: list[Any]) -> tuple[str, int]:
        return ids[0], len(ids)


_checked = CheckedLists(2_000_000)


def _without_duplicates(ids: Any, check: ValidatorFunctionWrapHandler) -> list[str]:
    long = type(ids) is list and len(ids) >= SHORTEST_KEPT and type(ids[0]) is str
    if long and (found := _checked.find(ids)) is not None:
        return found
    checked: list[str] = check(ids)
    if len(set(checked)) != len(checked):
        raise ValueError("models holds an id twice")
    if long:
        _checked.keep(checked)
    return checked


ModelIds = Annotated[list[ModelId], FailFast(), WrapValidator(_without_duplicates)]
"""Model ids, none twice. Equal lists may be one object: do not change it."""

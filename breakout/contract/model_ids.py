"""Model ids, and lists of them without duplicates.

An id is `name` or `organisation/name`. Each part begins with a letter, a digit or `_`, and goes
on with these, `.`, `-` and the marks that letters of some scripts need; by Unicode's categories,
in its composed form (NFC). The Hugging Face Hub itself allows ASCII letters, digits, `.`, `-`
and `_`, as do ModelScope's paths; a mirror may allow more. So nothing in an id is markup, a
quotation mark, a blank, a control character or a change of the order of writing, whatever
prints it.

A scrape mostly names the models that the one before named. A list that equals one already
checked is that one: it is not checked again, nor held in memory twice.
"""

import re
from collections import OrderedDict
from threading import Lock
from typing import Annotated, Any
from unicodedata import category, is_normalized

from pydantic import (
    AfterValidator,
    FailFast,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

_PART = r"[\p{L}\p{Nd}_][\p{L}\p{Mn}\p{Mc}\p{Nd}._-]*"
# For JSON Schema, whose validators do not all support categories: it accepts slightly more.
_NEVER = r"\x00-,/:-@\[-\^`{-\xa9\u2000-\u206f\u3000\ufeff"
_ANY_PART = rf"[^{_NEVER}.-][^{_NEVER}]*"
# Invisible letters and marks.
_INVISIBLE = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0"
    r"\U000e0100-\U000e01ef]"
)
MAX_MARKS = 4


def _checked_display(model_id: str) -> str:
    """Raise `ValueError` for an id that can be displayed misleadingly."""
    if model_id.isascii():
        return model_id
    if not is_normalized("NFC", model_id):
        raise ValueError(f"{model_id!r} must be in Unicode's composed form, NFC")
    if _INVISIBLE.search(model_id):
        raise ValueError(f"{model_id!r} contains an invisible character")
    marks = 0
    for character in model_id:
        marks = marks + 1 if category(character).startswith("M") else 0
        if marks > MAX_MARKS:
            raise ValueError(f"{model_id!r} contains more than {MAX_MARKS} marks in a row")
    return model_id


_Spelled = Annotated[
    str,
    Field(
        min_length=1,
        max_length=256,
        pattern=rf"^{_PART}(?:/{_PART})?$",
        json_schema_extra={"pattern": f"^{_ANY_PART}(?:/{_ANY_PART})?$"},
    ),
]

ModelId = Annotated[_Spelled, AfterValidator(_checked_display)]
"""A model's id as its hub spells it, `organisation/name`; case matters."""

_MODEL_ID: TypeAdapter[str] = TypeAdapter(ModelId)


def is_model_id(text: str) -> bool:
    """Whether a text is a valid model id."""
    try:
        _MODEL_ID.validate_python(text)
    except ValidationError:
        return False
    return True


SHORTEST_KEPT = 100
"""Ids. Checking a shorter list costs no more than looking it up."""


class CheckedLists:
    """LRU cache of checked lists of ids, up to `most` ids in total. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.ids = 0
        self._lock = Lock()
        self._lists: OrderedDict[tuple[str, int], list[str]] = OrderedDict()

    def find(self, ids: list[Any]) -> list[str] | None:
        """Return the cached list that equals this one, if there is one."""
        place = self._place(ids)
        with self._lock:
            found = self._lists.get(place)
            if found != ids:
                return None
            self._lists.move_to_end(place)
            return found

    def keep(self, ids: list[str]) -> None:
        """Cache a checked list, replacing one of equal length that begins with the same id."""
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
    if not "".join(checked).isascii():
        for model_id in checked:
            _checked_display(model_id)
    if long:
        _checked.keep(checked)
    return checked


ModelIds = Annotated[list[_Spelled], FailFast(), WrapValidator(_without_duplicates)]
"""Model ids, none twice. Equal lists may be one object: do not change it."""

"""Checks that requests name models, organisations and so on that exist."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from api.database import Database
from api.parameters import OperationParameters
from api.problems import ProblemError
from api.queries import parameters
from breakout.clickhouse.known_names import (
    BASELINE,
    BOARD,
    FAMILY,
    INDEX_VERSION,
    MODEL,
    ORGANISATION,
    Kind,
)
from breakout.nearest import nearest, unknown

KINDS = {
    "model": MODEL,
    "org": ORGANISATION,
    "family": FAMILY,
    "baseline": BASELINE,
    "board": BOARD,
    "index_version": INDEX_VERSION,
}
"""Kinds by the parameter that takes their names."""
MAX_EXPLAINED = 5
"""Unknown names of one parameter for which the nearest are looked up."""


def names_of(params: OperationParameters) -> dict[str, list[str]]:
    """Return the names that must exist, by the parameter that has them."""
    given = {name: getattr(params, name, []) for name in KINDS}
    return {name: [one] if isinstance(one, str) else one for name, one in given.items() if one}


class KnownNames:
    """Remembers names that exist, so that a name is looked up once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: defaultdict[Kind, set[str]] = defaultdict(set)

    async def require(
        self, names: Mapping[str, Sequence[str]], *, all_matched: bool = False
    ) -> None:
        """Raise a problem unless all names exist: 404, or 422 where all valid ones are listed.

        `names` are values by parameter. With `all_matched` there are rows that match one value of
        each parameter, so a value that is the only one exists.
        """
        unseen = {
            parameter: new
            for parameter, given in names.items()
            if (new := [name for name in given if name not in self._known[KINDS[parameter]]])
        }
        if all_matched and all(len(names[parameter]) == 1 for parameter in unseen):
            for parameter, new in unseen.items():
                self._known[KINDS[parameter]].update(new)
            return
        errors: dict[str, str] = {}
        near: dict[str, list[str]] = {}
        for parameter, new in unseen.items():
            messages, near[parameter] = await self._unknown(KINDS[parameter], new)
            if messages:
                errors[parameter] = " ".join(messages)
        if errors:
            listed = any(KINDS[parameter].is_listed for parameter in errors)
            raise ProblemError(
                422 if listed else 404, " ".join(errors.values()), errors=errors, nearest=near
            )

    async def _unknown(self, kind: Kind, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return messages about the unknown ones among the names, and the names nearest to them."""
        known = await self._query(kind.known_sql(), names=names)
        if not known and kind.is_listed:
            # No leaderboard is stored yet, so nothing can be said about its names.
            return [], []
        self._known[kind].update(set(names).intersection(known))
        missing = [name for name in names if name not in self._known[kind]]
        messages, all_near = [], []
        for name in missing[:MAX_EXPLAINED]:
            candidates = await self._query(kind.similar_sql(), name=name)
            near = nearest(name, candidates)
            all_near += near
            messages.append(unknown(kind.label, name, near, known if kind.is_listed else ()))
        if len(missing) > MAX_EXPLAINED:
            messages.append(f"{len(missing) - MAX_EXPLAINED} more are unknown.")
        return messages, all_near

    async def _query(self, sql: str, **values: str | Sequence[str]) -> list[str]:
        used = parameters(sql)
        bound = {
            name: value if isinstance(value, str) else list(value)
            for name, value in values.items()
            if name in used
        }
        rows = await self._database.rows(sql, bound)
        return [row["name"] for row in rows if row["name"]]

"""Which id counts for a repository of the Hub: a rename is one fact, known everywhere.

The Hub redirects a former name to the current one, and keeps the repository's own `_id`. Both are
in the registry's records. Collectors, the survey of derivatives and the registry resolve ids here.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from breakout.contract.events import ModelRecord


def primary(
    formers: Collection[str], known: Mapping[str, ModelRecord] = MappingProxyType({})
) -> str:
    """Return which of several former names of one repository counts: the one that did so far."""
    counted = [name for name in formers if name in known and known[name].tracked]
    return min(counted or formers)


class Renames:
    """Names of repositories: current ones, former ones, and the one that counts."""

    def __init__(
        self, tracked: Collection[str], known: Mapping[str, ModelRecord] = MappingProxyType({})
    ) -> None:
        self._tracked = tracked
        self._known = known
        self._current: dict[str, str] = {}
        self._formers: defaultdict[str, set[str]] = defaultdict(set)
        self._names: dict[str, str] = {}
        self._repositories: dict[str, str] = {}
        for record in known.values():
            self.add(record.model_id, record.renamed_to or record.model_id, record.repository)

    def add(self, model_id: str, name: str, repository: str | None = None) -> None:
        """Add that a repository is called `name` now, and was requested as `model_id`."""
        if name != model_id:
            self._formers[self._current.get(model_id, "")].discard(model_id)
            self._current[model_id] = name
            self._formers[name].add(model_id)
        if repository is not None:
            self._names[repository] = name
            self._repositories[model_id] = self._repositories[name] = repository

    def counted(self, model_id: str, repository: str | None = None) -> str:
        """Return the id under which a repository counts.

        That is its current name if it is tracked, else the former name that is, else the current
        name. `repository` is its `_id`, if known: a name that another repository took over is not
        the renamed one.
        """
        if repository is not None and repository in self._names:
            name = self._names[repository]
        elif repository is not None and self._repositories.get(model_id, repository) != repository:
            return model_id
        else:
            name = self._name_of(model_id)
        if name in self._tracked:
            return name
        formers = [former for former in self._all_formers(name) if former in self._tracked]
        return primary(formers, self._known) if formers else name

    def names(self, model_id: str) -> set[str]:
        """Return all names of a repository, the current one included."""
        name = self._name_of(model_id)
        return {model_id, name, *self._all_formers(name)}

    def _name_of(self, model_id: str) -> str:
        """Return the current name, over several renames."""
        passed = {model_id}
        while (following := self._current.get(model_id)) is not None and following not in passed:
            passed.add(following)
            model_id = following
        return model_id

    def _all_formers(self, name: str) -> Iterable[str]:
        found: set[str] = set()
        open_ = [name]
        while open_:
            more = self._formers.get(open_.pop(), set()) - found - {name}
            found |= more
            open_ += more
        return found

"""Lineage of models: their ancestors, descendants and roots.

Results depend on the graph alone, not on the order in which parents were set.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Ancestry(NamedTuple):
    """Ancestors and roots of a model."""

    ancestors: tuple[str, ...]
    """All models it derives from, nearest generation first, then by id."""
    depths: tuple[int, ...]
    """Generations to each ancestor, along the shortest path."""
    roots: tuple[str, ...]
    """Ancestors without parents, by id."""


class Lineage:
    """Graph of models and the base models each names.

    A root is a model that names no base, known or not. Of a cycle of models that derive from no
    model outside it, the root is the alphabetically first.
    """

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, ...]] = {}
        self._children: dict[str, set[str]] = {}

    def set_parents(self, model_id: str, parents: Iterable[str]) -> None:
        """Set the base models of a model, replacing those set before."""
        for parent in self._parents.get(model_id, ()):
            self._children[parent].discard(model_id)
        self._parents[model_id] = tuple(dict.fromkeys(parents))
        for parent in self._parents[model_id]:
            self._children.setdefault(parent, set()).add(model_id)

    def descendants(self, model_ids: Iterable[str]) -> set[str]:
        """Return these models and all that derive from them, directly or not."""
        found = set(model_ids)
        to_visit = list(found)
        while to_visit:
            new = self._children.get(to_visit.pop(), set()) - found
            found |= new
            to_visit += new
        return found

    def ancestry(self, model_id: str) -> Ancestry:
        """Return the ancestry of a model; empty if it derives from no model."""
        if not self._parents.get(model_id):
            return Ancestry((), (), ())
        depths = dict(self._by_depth(model_id))
        ancestors = tuple(ancestor for ancestor in depths if ancestor != model_id)
        return Ancestry(
            ancestors, tuple(depths[ancestor] for ancestor in ancestors), self._roots(model_id)
        )

    def _by_depth(self, model_id: str) -> Iterator[tuple[str, int]]:
        """Yield the model and its ancestors with their depths, nearest first, then by id."""
        seen = {model_id}
        generation, depth = [model_id], 0
        while generation:
            for one in generation:
                yield one, depth
            following = {
                parent for one in generation for parent in self._parents.get(one, ())
            } - seen
            seen |= following
            generation, depth = sorted(following), depth + 1

    def _roots(self, model_id: str) -> tuple[str, ...]:
        """Return the first member of every strongly connected component without outside parents.

        Tarjan's algorithm, without recursion: a path may be longer than Python's stack.
        """
        order: dict[str, int] = {}
        lowest: dict[str, int] = {}
        open_: list[str] = []
        closed: set[str] = set()
        roots: list[str] = []
        to_visit = [(model_id, iter(self._parents.get(model_id, ())))]
        order[model_id] = lowest[model_id] = 0
        open_.append(model_id)
        while to_visit:
            one, parents = to_visit[-1]
            for parent in parents:
                if parent not in order:
                    order[parent] = lowest[parent] = len(order)
                    open_.append(parent)
                    to_visit.append((parent, iter(self._parents.get(parent, ()))))
                    break
                if parent not in closed:
                    lowest[one] = min(lowest[one], order[parent])
            else:
                to_visit.pop()
                if to_visit:
                    child = to_visit[-1][0]
                    lowest[child] = min(lowest[child], lowest[one])
                if lowest[one] == order[one]:
                    component = set()
                    while one not in component:
                        component.add(open_.pop())
                    closed |= component
                    if all(component.issuperset(self._parents.get(m, ())) for m in component):
                        roots.append(min(component))
        return tuple(sorted(roots))

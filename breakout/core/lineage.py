"""Who derives from whom: ancestors, and the roots of every line; pure, no I/O.

All answers follow from the graph alone, whatever the order in which it was told.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Ancestry(NamedTuple):
    """Where a model comes from."""

    ancestors: tuple[str, ...]
    """All models it derives from, directly or not: nearest generation first, then by id."""
    depths: tuple[int, ...]
    """Generations to each of them, along the shortest line."""
    roots: tuple[str, ...]
    """Ends of its lines, by id."""


class Lineage:
    """Models and the models each names as its base.

    A line ends at a model that names none, known or not. Models that derive from each other in a
    circle, and from nothing outside it, end at the alphabetically first of them.
    """

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, ...]] = {}
        self._children: dict[str, set[str]] = {}

    def set_parents(self, model_id: str, parents: Iterable[str]) -> None:
        """Say what a model derives from, in place of what was said before."""
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
        """Return where a model comes from; all empty when it derives from nothing."""
        if not self._parents.get(model_id):
            return Ancestry((), (), ())
        depths = dict(self._by_depth(model_id))
        ancestors = tuple(one for one in depths if one != model_id)
        return Ancestry(ancestors, tuple(depths[one] for one in ancestors), self._roots(model_id))

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
        """Return the first member of every end: a circle, or a single model, without parents.

        Tarjan's algorithm, without recursion: a line may be longer than Python's stack.
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

"""Lineage against a slow, obvious oracle: reachability by fixpoint."""

from hypothesis import given
from hypothesis import strategies as st

from breakout.core.lineage import Ancestry, Lineage

NODES = "abcdefgh"

graphs = st.dictionaries(st.sampled_from(NODES), st.lists(st.sampled_from(NODES), max_size=3))
told = st.lists(
    st.tuples(st.sampled_from(NODES), st.lists(st.sampled_from(NODES), max_size=3)), max_size=20
)


def reachable(graph: dict[str, list[str]]) -> dict[str, set[str]]:
    """All models each one derives from, itself among them only by way of a circle."""
    reach = {one: set(graph.get(one, ())) for one in NODES}
    while True:
        wider = {
            one: set.union(some, *(reach[other] for other in some)) for one, some in reach.items()
        }
        if wider == reach:
            return reach
        reach = wider


def expected(graph: dict[str, list[str]], model_id: str) -> Ancestry:
    reach = reachable(graph)
    if not graph.get(model_id):
        return Ancestry((), (), ())
    depths: dict[str, int] = {}
    generation, depth = {model_id}, 0
    while generation - depths.keys():
        depths |= dict.fromkeys(generation - depths.keys(), depth)
        generation = {parent for one in generation for parent in graph.get(one, ())}
        depth += 1
    del depths[model_id]
    ordered = sorted(depths, key=lambda one: (depths[one], one))
    roots = set()
    for one in {model_id, *ordered}:
        circle = {one} | {other for other in reach[one] if one in reach[other]}
        if reach[one] <= circle:
            roots.add(min(circle))
    return Ancestry(tuple(ordered), tuple(depths[one] for one in ordered), tuple(sorted(roots)))


def lineage_of(graph: dict[str, list[str]]) -> Lineage:
    lineage = Lineage()
    for model_id, parents in graph.items():
        lineage.set_parents(model_id, parents)
    return lineage


@given(graphs)
def test_ancestry_equals_reachability(graph: dict[str, list[str]]) -> None:
    lineage = lineage_of(graph)
    for model_id in NODES:
        assert lineage.ancestry(model_id) == expected(graph, model_id)


@given(told)
def test_what_is_restated_is_as_if_told_at_once(statements: list[tuple[str, list[str]]]) -> None:
    """Of a model restated, nothing but its descendants' ancestry may change."""
    lineage = Lineage()
    known = {model_id: lineage.ancestry(model_id) for model_id in NODES}
    graph: dict[str, list[str]] = {}
    for model_id, parents in statements:
        graph[model_id] = parents
        lineage.set_parents(model_id, parents)
        for one in lineage.descendants([model_id]):
            known[one] = lineage.ancestry(one)
        assert known == {one: lineage_of(graph).ancestry(one) for one in NODES}


def test_a_parent_nobody_knows_is_a_root() -> None:
    assert lineage_of({"a": ["b"]}).ancestry("a") == Ancestry(("b",), (1,), ("b",))


def test_a_circle_ends_at_its_first_member() -> None:
    circle = lineage_of({"a": ["c"], "b": ["a"], "c": ["b"], "d": ["c"]})
    assert circle.ancestry("d") == Ancestry(("c", "b", "a"), (1, 2, 3), ("a",))
    assert circle.ancestry("a").roots == ("a",)


def test_a_circle_that_derives_from_something_outside_ends_there() -> None:
    assert lineage_of({"a": ["b"], "b": ["a", "x"]}).ancestry("a").roots == ("x",)


def test_a_model_that_names_itself_is_its_own_root() -> None:
    assert lineage_of({"a": ["a"]}).ancestry("a") == Ancestry((), (), ("a",))


def test_a_line_may_be_longer_than_the_stack() -> None:
    lineage = lineage_of({f"m{n:05}": [f"m{n + 1:05}"] for n in range(10_000)})
    found = lineage.ancestry("m00000")
    assert (len(found.ancestors), found.depths[-1], found.roots) == (10_000, 10_000, ("m10000",))
    assert len(lineage.descendants(["m10000"])) == 10_001

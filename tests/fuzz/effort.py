"""How long to look: each fuzz test runs with few examples, and again with many as a slow one."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

Input = TypeVar("Input")

LONG = 20
"""How many times as many examples the slow run has."""

efforts = pytest.mark.parametrize(
    "effort",
    [
        pytest.param(1, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(1800)]),
    ],
)


def explore(
    inputs: SearchStrategy[Input], check: Callable[[Input], None], *, examples: int, effort: int
) -> None:
    """Check drawn inputs; always the same ones in the short run, so that it never flickers."""

    @settings(
        max_examples=examples * effort,
        derandomize=effort == 1,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def run(value: Input) -> None:
        check(value)

    run()

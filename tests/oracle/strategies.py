"""Hypothesis strategies of histories and their deliveries."""

from random import Random

from hypothesis import strategies as st

from .deliveries import Delivery, make_delivery
from .histories import History, make_history


@st.composite
def histories(draw: st.DrawFn, *, models: int = 12, times: int = 25) -> History:
    """Draw a history of up to `models` models and `times` observations of each."""
    return make_history(Random(draw(st.integers(0, 2**32 - 1))), models=models, times=times)


@st.composite
def deliveries(draw: st.DrawFn, *, models: int = 12, times: int = 25) -> Delivery:
    """Draw a history and one order of its arrival."""
    history = draw(histories(models=models, times=times))
    return make_delivery(Random(draw(st.integers(0, 2**32 - 1))), history)

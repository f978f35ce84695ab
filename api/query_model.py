"""The model of an endpoint's query parameters."""

from collections.abc import Callable
from functools import cache
from typing import Any, get_origin, get_type_hints

from pydantic import BaseModel


@cache
def query_model(endpoint: Callable[..., Any]) -> type[BaseModel] | None:
    """Return the model of an endpoint's query parameters, None if it has none."""
    hints = get_type_hints(endpoint).values()
    return next(
        (one for one in hints if isinstance(one, type) and issubclass(one, BaseModel)), None
    )


def single_valued(model: type[BaseModel]) -> set[str]:
    """Return the names of the parameters that take one value."""
    return {
        name
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is not list
    }

"""Parameters that take one value: given twice, they are rejected, or the last would win."""

from fastapi import Request

from api.problems import ProblemError
from api.query_model import query_model, single_valued


async def reject_repeated(request: Request) -> None:
    """Raise a 422 problem that names each parameter of one value that is given more than once."""
    model = query_model(request.scope["endpoint"])
    single = single_valued(model) if model else set()
    given = {name: request.query_params.getlist(name) for name in request.query_params}
    errors = {
        name: f"Given {len(values)} times ({', '.join(values)}): it takes one value"
        for name, values in given.items()
        if len(values) > 1 and name in single
    }
    if errors:
        detail = "; ".join(f"{name}: {message}" for name, message in errors.items())
        raise ProblemError(422, detail, errors=errors)

"""What an answer is written in: by the `format` parameter, else by the Accept header."""

from enum import StrEnum

from api.problems import ProblemError


class Format(StrEnum):
    """The formats, by the name that `format` takes."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.ARROW: "application/vnd.apache.arrow.stream",
}
CLICKHOUSE = {
    Format.JSON: "JSONEachRow",
    Format.CSV: "CSVWithNames",
    Format.PARQUET: "Parquet",
    Format.ARROW: "ArrowStream",
}
_NAMED = {media.partition(";")[0]: name for name, media in MEDIA_TYPES.items()}


def negotiated(chosen: Format | None, accept: str | None) -> Format:
    """Return the format to answer in. Raises a 406 problem that says what there is."""
    if chosen is not None:
        return chosen
    weights = dict(map(_weighed, (accept or "*/*").split(",")))
    best, best_weight = Format.JSON, 0.0
    for media, name in _NAMED.items():
        kind = media.partition("/")[0] + "/*"
        weight = next((weights[one] for one in (media, kind, "*/*") if one in weights), 0.0)
        if weight > best_weight:
            best, best_weight = name, weight
    if not best_weight:
        there = ", ".join(_NAMED)
        raise ProblemError(
            406, f"There is {there}", errors={"Accept": f"none of {there} is acceptable by it"}
        )
    return best


def _weighed(item: str) -> tuple[str, float]:
    media, *parameters = (part.strip() for part in item.lower().split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return media, float(parameter[2:])
            except ValueError:
                return media, 0.0
    return media, 1.0

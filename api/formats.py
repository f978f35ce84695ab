"""Response formats, chosen by the `format` parameter, else by the Accept header."""

from enum import StrEnum

from api.problems import parameter_problem
from api.quality_values import weights


class Format(StrEnum):
    """Values of `format`."""

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
CLICKHOUSE_FORMATS = {
    Format.JSON: "JSONEachRow",
    Format.CSV: "CSVWithNames",
    Format.PARQUET: "Parquet",
    Format.ARROW: "ArrowStream",
}
_BY_MEDIA_TYPE = {media.partition(";")[0]: name for name, media in MEDIA_TYPES.items()}


def negotiate(requested: Format | None, accept: str | None) -> Format:
    """Return the format of a response. Raises a 406 problem that lists the available ones."""
    if requested is not None:
        return requested
    accepted = weights(accept or "*/*")
    best, best_weight = Format.JSON, 0.0
    for media, output in _BY_MEDIA_TYPE.items():
        ranges = (media, media.partition("/")[0] + "/*", "*/*")
        weight = next((accepted[name] for name in ranges if name in accepted), 0.0)
        if weight > best_weight:
            best, best_weight = output, weight
    if not best_weight:
        raise parameter_problem(
            "Accept",
            "None of the available formats is acceptable. Accept one of: "
            + ", ".join(_BY_MEDIA_TYPE),
            status=406,
        )
    return best

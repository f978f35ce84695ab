"""Quality values of Accept and Accept-Encoding (RFC 9110, section 12.4.2)."""


def weights(header: str) -> dict[str, float]:
    """Return the weight of each item of a header, 0 to 1; an invalid weight is 0."""
    return dict(map(_weight, header.lower().split(",")))


def _weight(item: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in item.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                weight = float(parameter[2:])
            except ValueError:
                return name, 0.0
            return name, weight if 0 <= weight <= 1 else 0.0
    return name, 1.0

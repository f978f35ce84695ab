"""Entity tags."""


def matches(etag: str, if_none_match: str | None) -> bool:
    """Return whether an If-None-Match header names the tag, by weak comparison (RFC 9110)."""
    tags = [tag.strip() for tag in (if_none_match or "").split(",")]
    return "*" in tags or any(tag.removeprefix("W/") == etag.removeprefix("W/") for tag in tags)

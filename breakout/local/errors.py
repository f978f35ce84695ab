"""Errors of the embedded servers."""


class EmbeddedError(Exception):
    """The embedded servers cannot run; the message says why and what would help."""

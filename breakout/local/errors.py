"""What keeps the embedded servers from running."""


class EmbeddedError(Exception):
    """The embedded servers cannot run; the message says why and what would help."""

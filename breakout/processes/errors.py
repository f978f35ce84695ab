"""Errors of child processes."""


class ProcessError(Exception):
    """A child process cannot run; the message says why and where its log is."""

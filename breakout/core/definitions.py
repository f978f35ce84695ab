"""The version of the definitions of all figures, docs/definitions.md."""

DEFINITIONS_VERSION = 1
"""Greater by one whenever a definition changes, and with it figures of the same observations."""

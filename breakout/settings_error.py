"""The error of a setting, apart from the settings themselves, which take long to import."""


class SettingsError(ValueError):
    """A setting that cannot be used. The message names the variable and what would be right."""

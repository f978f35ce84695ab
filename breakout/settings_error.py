"""The error of a setting, apart from the settings themselves, which take long to import."""


class SettingsError(ValueError):
    """A setting has an invalid value. The message names the variable and what a valid one is."""

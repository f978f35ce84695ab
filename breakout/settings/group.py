"""Base class of the groups of settings."""

from typing import Any

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsGroup(BaseSettings):
    """Settings of one area; each field's alias is its environment variable."""

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _is_utf8(cls, value: Any) -> Any:
        """Reject bytes of the environment that are not UTF-8: no later step could encode them."""
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str):
            try:
                text.encode()
            except UnicodeEncodeError:
                raise ValueError("must be UTF-8 text") from None
        return value

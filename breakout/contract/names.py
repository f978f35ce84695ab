"""Free-form names from people and sources: organisations, leaderboards, licences.

Spaces, brackets, quotes and all scripts are valid. Invisible characters and those that change the
writing direction are not: an event with such a name is sent to the dead-letter topic.
"""

from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

CONTROLS = (
    r"\x00-\x1f\x7f-\x9f"  # control characters, those of a terminal among them
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # order of writing
    r"\u2028\u2029"  # ends of lines and paragraphs
    r"\xad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # invisible
)
"""Inside the brackets of a regular expression of any language. Joiners are not among them:
Persian, Indic scripts and emoji need them."""

Text = Annotated[str, Field(max_length=256, pattern=f"^[^{CONTROLS}]*$")]
"""Text of one line, possibly empty."""

Name = Annotated[Text, Field(min_length=1)]
"""Text of one line that is not empty."""

_NAME: TypeAdapter[str] = TypeAdapter(Name)


def is_name(text: str) -> bool:
    """Whether a text is a valid `Name`."""
    try:
        _NAME.validate_python(text)
    except ValidationError:
        return False
    return True

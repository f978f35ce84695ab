"""The JSON Schema (2020-12) of every event, for readers in other languages.

One file an event, `<Event>.json`, checked in beside this module. They say what a reader
accepts, but for what JSON Schema cannot say: that columns are equally long.
"""

import json
from importlib.resources import files

from breakout.contract.events import Event
from breakout.contract.topics import TOPICS

EVENTS: tuple[type[Event], ...] = tuple(topic.event for topic in TOPICS)


def schema_text(event: type[Event]) -> str:
    """Return an event's JSON Schema as its file holds it, computed from the contract."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **event.model_json_schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def published_schema(event: type[Event]) -> str:
    """Return the file of an event's JSON Schema. Raises `FileNotFoundError`."""
    return (files(__name__) / f"{event.__name__}.json").read_text(encoding="utf-8")

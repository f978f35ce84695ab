"""docs/topics.md."""

from collections.abc import Iterator
from typing import Any

from breakout.contract.topics import TOPICS, Topic
from tools.reference.markdown import code, page, table


def topics_page() -> str:
    """Return the page: the topics, then the fields of each one's event."""
    return page(
        "Topics",
        "A record's value is one JSON object in UTF-8. The JSON Schemas are in "
        "[breakout/contract/schemas](../breakout/contract/schemas). Within a contract version "
        "fields are only added, and a reader ignores fields that it does not know.",
        table(
            ("Topic", "Carries", "Key", "Kept", "Event"),
            [
                (
                    code(topic.name),
                    topic.meaning,
                    topic.keyed_by,
                    _kept(topic),
                    f"[{topic.event.__name__}](#{topic.event.__name__.lower()})",
                )
                for topic in TOPICS
            ],
        ),
        "## Keys and tombstones",
        "In a topic that keeps the latest of each key, the key must be that of the table above; "
        "a record without a key, or whose key is not its event's, is sent to the dead-letter "
        "topic. A record without a value (a tombstone) deletes its key from the topic, known or "
        "not, and is counted in `breakout_tombstones_total`. It deletes nothing in ClickHouse: "
        "history stays, and a model or a name is what its last record said, until another "
        "record says otherwise. To end the tracking of a model, publish its record with "
        "`tracked` false. A tombstone in `breakout.runs` makes its collector run as if it had "
        "never run.",
        "In all other topics keys only spread records over partitions and are not read. A record "
        "without a value says nothing there, and is sent to the dead-letter topic.",
        *(block for topic in TOPICS for block in _event(topic)),
    )


def _kept(topic: Topic) -> str:
    if topic.cleanup == "compact":
        return "the latest of each key"
    return f"{topic.retention_days} days" if topic.retention_days else "for ever"


def _event(topic: Topic) -> Iterator[str]:
    schema = topic.event.model_json_schema()
    yield f"## {topic.event.__name__}"
    yield schema["description"]
    yield table(
        ("Field", "Type", "Required", "Meaning"),
        [
            (
                code(name),
                _type(field, schema.get("$defs", {})),
                "yes" if name in schema["required"] else "",
                field.get("description", ""),
            )
            for name, field in schema["properties"].items()
        ],
    )


def _type(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(option, definitions) for option in field["anyOf"])
    if "$ref" in field:
        properties = definitions[field["$ref"].rpartition("/")[2]]["properties"]
        return "{" + ", ".join(properties) + "}"
    if "const" in field:
        return str(field["const"])
    if "enum" in field:
        return ", ".join(code(value) for value in field["enum"])
    if field["type"] == "array":
        return f"list of {_type(field['items'], definitions)}"
    return str(field.get("format", field["type"]))

"""Documents and bytes with something wrong in them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]


class Raw(str):
    """A JSON token as it is to be written, valid or not."""

    __slots__ = ()


class Twice(dict[str, Any]):
    """An object whose keys are all written twice, first with null."""


def _nested(depth: int) -> Raw:
    return Raw("[" * depth + "]" * depth)


TOKENS = [
    Raw(token)
    for token in (
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "1e-400",
        "-0",
        "-0.0",
        "007",
        "0x10",
        "1.",
        "9" * 400,
        "9" * 5000,
        '"\\ud800"',
        '"\\u0000"',
        '"\\u0000a/b"',
        "[]]",
        '{"a":1,"a":2}',
        "",
    )
] + [_nested(150), _nested(5000)]

STRINGS = [
    "",
    " ",
    "a",
    "a/b",
    "a/b/c",
    "/",
    "..",
    "a\nb",
    "\x00",
    "a\x00b",
    "'; DROP TABLE downloads_log; --",
    "\\' OR 1=1",
    "%(source)s {x:String}",
    "\x7f\x1b[31m",
    "\u202e",
    "😀" * 40,
    "\ufeff",
    "x" * 256,
    "x" * 257,
    "x" * 5000,
    "true",
    "null",
    "12",
    "1e5",
    "-5",
    "2026-02-30",
    "2026-06-31T00:00:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00.123456789Z",
    "0001-01-01",
    "0001-01-01T00:00:00+14:00",
    "0000-00-00T00:00:00Z",
    "1969-12-31T23:59:59.999Z",
    "1970-01-01",
    "1970-01-01T00:00:00Z",
    "1970-01-01T12:00:00+14:00",
    "1985-05-05T05:05:05Z",
    "2026-01-01T24:00:00Z",
    "2106-02-07",
    "2149-06-06",
    "2149-06-07T00:00:00Z",
    "2299-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "http://[::1",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
]

NUMBERS = [
    0,
    1,
    -1,
    1.5,
    1e-9,
    1e300,
    5e-324,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64 - 1,
    2**64,
    -(2**63) - 1,
    10**30,
]

nasty: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(STRINGS),
    st.sampled_from(NUMBERS),
    st.sampled_from(TOKENS),
    st.sampled_from([None, True, False, [], {}, [[]], [None], {"": {}}, [{}] * 3]),
    st.text(max_size=20),
    st.integers(),
    st.floats(),
)


def encode(document: Any) -> bytes:
    """Return a document as JSON, with its raw tokens as they are."""
    return _text(document).encode("utf-8", "surrogatepass")


def _text(document: Any) -> str:
    if isinstance(document, Raw):
        return str(document)
    if isinstance(document, Twice):
        pairs = [(key, None) for key in document] + list(document.items())
        return "{" + ",".join(f"{json.dumps(key)}:{_text(one)}" for key, one in pairs) + "}"
    if isinstance(document, Mapping):
        pairs = list(document.items())
        return "{" + ",".join(f"{json.dumps(key)}:{_text(one)}" for key, one in pairs) + "}"
    if isinstance(document, list | tuple):
        return "[" + ",".join(_text(one) for one in document) + "]"
    return json.dumps(document, ensure_ascii=False)


def _paths(document: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _paths(value, (*path, key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from _paths(value, (*path, index))


def _changed(document: Any, path: Path, change: Any) -> Any:
    if not path:
        return change(document)
    first, rest = path[0], path[1:]
    copy = document.copy()
    copy[first] = _changed(document[first], rest, change)
    return copy


def _without(container: Any, key: str | int) -> Any:
    copy = container.copy()
    del copy[key]
    return copy


@st.composite
def documents(draw: st.DrawFn, originals: Sequence[Any], *, changes: int = 3) -> Any:
    """One of some JSON documents with up to `changes` of its values replaced, gone or doubled."""
    document = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, changes))):
        path = draw(st.sampled_from(list(_paths(document))))
        what = draw(st.sampled_from(["replace", "replace", "replace", "drop", "repeat", "twice"]))
        here = document
        for key in path:
            here = here[key]
        if what == "drop" and path:
            document = _changed(document, path[:-1], lambda one, key=path[-1]: _without(one, key))
        elif what == "repeat" and isinstance(here, list):
            times = draw(st.sampled_from([2, 3, 50]))
            document = _changed(document, path, lambda one, times=times: one * times)
        elif what == "twice" and isinstance(here, dict):
            document = _changed(document, path, Twice)
        else:
            value = draw(nasty)
            document = _changed(document, path, lambda _, value=value: value)
    return document


@st.composite
def damaged(draw: st.DrawFn, originals: Sequence[bytes]) -> bytes:
    """Some bytes cut short, with bytes flipped, put in or taken out; or any bytes at all."""
    data = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 5)):
            case 0:
                data = data[:at]
            case 1:
                data = data[:at] + draw(st.binary(min_size=1, max_size=4)) + data[at:]
            case 2:
                data = data[:at] + draw(st.binary(min_size=1, max_size=4)) + data[at + 1 :]
            case 3:
                data = data[:at] + data[at + draw(st.integers(1, 40)) :]
            case 4:
                data = data + data[at:]
            case _:
                data = draw(st.binary(max_size=60))
    return data


def mutants(originals: Sequence[Any], *, changes: int = 3) -> st.SearchStrategy[bytes]:
    """JSON bodies with something wrong: mostly in a value, sometimes in the bytes."""
    return st.one_of(
        documents(originals, changes=changes).map(encode),
        documents(originals, changes=changes).map(encode),
        documents(originals, changes=changes).map(encode),
        damaged([encode(one) for one in originals]),
    )

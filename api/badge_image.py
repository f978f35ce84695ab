"""The image of a badge: a label and a text, as SVG."""

import re
from xml.sax.saxutils import escape

GREEN, BLUE, GREY = "#2e7d32", "#1565c0", "#616161"
_CHARACTER = 6.6
"""Width of an average character, in pixels."""
_INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
"""Characters that XML forbids, or that hide or reverse the text around them."""


def badge(label: str, text: str, color: str, title: str) -> bytes:
    """Return an SVG image of a label and a text, both escaped."""
    label, text, title = (_INVISIBLE.sub(_escape_code, part) for part in (label, text, title))
    left, right = (round(len(part) * _CHARACTER + 12) for part in (label, text))
    label, text, title = escape(label), escape(text), escape(title)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" role="img"
 width="{left + right}" height="20">
<title>{title}</title>
<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#424242"/>
<rect x="{left}" width="{right}" height="20" fill="{color}"/></g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{left / 2}" y="14">{label}</text><text x="{left + right / 2}" y="14">{text}</text></g>
</svg>
""".encode()


def _escape_code(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"

"""Whether a licence that the Arena states makes weights available.

The column is free text, typed by people. Only licences known to be of open or of closed models are
classified: anything else, such as `N/A`, is unknown and left to the reviewed map.
"""

import re
from difflib import SequenceMatcher

_LIKE_PROPRIETARY = 0.8
"""Similarity to `proprietary` of its misspellings; a word such as `property` has 0.74."""
_CLOSED = frozenset({"closed", "closed source", "closed weights"})

_OPEN = re.compile(
    "|".join(
        (
            r"(modified )?mit",
            r"apache( 2)?( 0)?",
            r"(a|l)?gpl( ?v)?( [23])?( 0)?",
            r"bsd( [23] clause)?",
            r"(bigscience |bigcode )?openrail( m)?",
            r"cc 0( 1 0)?",
            r"cc by(( nc| sa| nd)*)( [1-4])?( 0)?",
            r"non commercial",
            r"open( source| weights?| model)?",
            r"(meta )?llama( [0-9])*( community)?",
            r"gemma( [0-9])?( terms of use)?",
            r"(tongyi )?(qianwen|qwen)( research)?",
            r"deepseek( model)?",
            r"nvidia( open)?( model)?",
            r"jamba open( model)?",
            r"mrl|mistral( ai)? research",
            r"yi",
            r"dbrx( open model)?",
            r"ai 2 impact( (low|medium) risk)?",
            r"falcon( 180 b)?( tii)?",
            r"(tencent )?hunyuan( community)?",
            r"minimax( model| open)*",
        )
    )
)
_NOISE = frozenset({"licence", "license", "agreement"})


def is_open(licence: str) -> bool | None:
    """Return whether weights under a licence can be downloaded; None if it is not known."""
    words = re.findall(r"[a-z]+|[0-9]+", licence.lower())
    name = " ".join(word for word in words if word not in _NOISE)
    if name in _CLOSED or _is_proprietary(name):
        return False
    return True if _OPEN.fullmatch(name) else None


def _is_proprietary(name: str) -> bool:
    """Whether one of the words is `proprietary`, however it is spelled."""
    return any(
        SequenceMatcher(None, word, "proprietary").ratio() >= _LIKE_PROPRIETARY
        for word in name.split()
    )

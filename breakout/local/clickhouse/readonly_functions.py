"""The functions that a reader may name, wherever in a statement they stand.

A function need not be called by a function's syntax: ``arrayMap(file, ...)`` and
``* APPLY file`` name one as a column is named. So every word of a statement is judged, in the
engine's own spelling of it, where comments are gone and escapes are resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# Kinds of functions (system.functions.categories, or Aggregate) that compute from their arguments
# alone
_COMPUTING = frozenset(
    {
        "Aggregate",
        "Arithmetic",
        "Arrays",
        "Bit",
        "Bitmap",
        "Comparison",
        "Conditional",
        "Dates and Times",
        "Distance",
        "Encoding",
        "Encryption",
        "Financial",
        "Geo",
        "Geo Polygon",
        "Hash",
        "IP Address",
        "JSON",
        "Logical",
        "Map",
        "Mathematical",
        "Null",
        "NumericIndexedVector",
        "QBit",
        "Random Number",
        "Rounding",
        "String",
        "String Replacement",
        "String Search",
        "String Splitting",
        "Time Series",
        "Time Window",
        "Tuple",
        "Type Conversion",
        "URL",
        "UUID",
    }
)
# Of the other kinds, which also hold what reads files, calls services or tells of the server
_ALSO = frozenset(
    """
    authenticatedUser bar blockNumber blockSerializedSize blockSize byteSize caseWithExpression
    colorOKLABToSRGB colorOKLCHToSRGB colorSRGBToOKLAB colorSRGBToOKLCH connectionId countDigits
    currentDatabase currentProfiles currentQueryID currentRoles currentSchemas currentUser
    defaultProfiles defaultRoles defaultValueOfArgumentType defaultValueOfTypeName digits
    displayName dumpColumnStructure enabledProfiles enabledRoles errorCodeToName
    finalizeAggregation flipCoordinates formatQuery formatQueryOrNull formatQuerySingleLine
    formatQuerySingleLineOrNull formatReadableDecimalSize formatReadableQuantity
    formatReadableSize formatReadableTimeDelta FQDN getSetting getSettingOrDefault
    getSizeOfEnumType getSubcolumn getTypeSerializationStreams globalVariable hasColumnInTable
    hostName identity ignore indexHint initialQueryID initialQueryStartTime
    initializeAggregation isConstant isDecimalOverflow lowCardinalityIndices lowCardinalityKeys
    MACNumToString MACStringToNum MACStringToOUI materialize minSampleSizeContinuous
    minSampleSizeConversion neighbor nested normalizeQuery normalizeQueryKeepNames
    normalizedQueryHash normalizedQueryHashKeepNames parseISO8601Duration parseReadableSize
    parseReadableSizeOrNull parseReadableSizeOrZero parseTimeDelta partitionId pgGetUserById
    pgTableIsVisible queryID revision rowNumberInAllBlocks rowNumberInBlock runningAccumulate
    runningConcurrency runningDifference runningDifferenceStartingWithFirstValue sleep
    sleepEachRow tcpPort throwIf toColumnTypeName toTypeName tokenizeQuery transform uptime
    variantElement variantType version visibleWidth
    """.lower().split()
)
# Table functions that compute rows, or read tables that the reader may read anyway. Not among
# them are those that take the structure of a table as a text, which may hold expressions, but
# for `values`, whose text is looked at.
_TABLE_FUNCTIONS = frozenset(
    {
        "generate_series",
        "generateseries",
        "merge",
        "numbers",
        "numbers_mt",
        "primes",
        "values",
        "view",
        "viewifpermitted",
        "zeros",
        "zeros_mt",
    }
)
_TOKEN = re.compile(
    r"""
    (?P<string>'(?:[^'\\]|\\.|'')*')
  | (?P<name>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*")
  | (?P<word>[^\W\d]\w*)
  | (?P<number>\d\w*)
  | (?P<other>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_IDENTIFIER_PARAMETER = re.compile(r":\s*Identifier\s*\}", re.IGNORECASE)
# What a column of a structure may have besides its type
_EXPRESSIONS = re.compile(r"\b(?:default|materialized|alias|ephemeral)\b", re.IGNORECASE)
_VALUES_NODE = re.compile(r"\s*Function values\b", re.IGNORECASE)
# Its first argument is the structure, or the first row
_PLAIN_ARGUMENT = re.compile(r"\s*(?:Literal |Function tuple )")

LISTING = (
    "SELECT name, if(is_aggregate, 'Aggregate', categories), "
    "if(alias_to = '', name, alias_to) FROM system.functions"
)
"""Lists every function with its kinds, and the function it is another name of."""


@dataclass(frozen=True, slots=True)
class ReaderFunctions:
    """The engine's functions that a reader may not name, in lower case."""

    refused_functions: frozenset[str]
    refused_table_functions: frozenset[str]

    @classmethod
    def of(
        cls, functions: Sequence[tuple[str, str, str]], table_functions: Sequence[str]
    ) -> ReaderFunctions:
        """Judge all functions of an engine, as `LISTING` lists them; unknown ones are refused."""
        # Other names of a function have no kind, and may differ by case alone
        kinds = {name.lower(): kind for name, kind, _ in functions if kind}

        def allowed(name: str) -> bool:
            kind = kinds.get(name, "")
            computes = bool(kind) and set(kind.split(",")) <= _COMPUTING
            return computes or name in _ALSO

        return cls(
            frozenset(
                name.lower()
                for name, _, same_as in functions
                if not allowed(name.lower()) and not allowed(same_as.lower())
            ),
            frozenset(name.lower() for name in table_functions) - _TABLE_FUNCTIONS,
        )

    def refused(self, canonical: str, tree: Sequence[str], params: Mapping[str, str]) -> str | None:
        """What a reader may not do in a statement, in words; None when all may be done.

        ``canonical`` is the statement in the engine's spelling, ``tree`` its syntax tree.
        """
        words = list(_words(canonical))
        if _IDENTIFIER_PARAMETER.search(canonical):
            words += [(value, False) for text in params.values() for value, _ in _words(text)]
        for word, called in words:
            name = word.lower()
            if name in self.refused_functions or (called and name in self.refused_table_functions):
                return f"a reader may not use the function {word}."
        if not _types_alone(tree):
            return "a reader may not use values() with expressions in its structure."
        return None


def _words(text: str) -> Iterator[tuple[str, bool]]:
    """Names of a statement, and whether an opening bracket follows. Not those that give a name
    (behind AS), nor parts of a longer one (behind a dot): they stand for no function."""
    tokens = [found for found in _TOKEN.finditer(text) if found.lastgroup != "string"]
    for number, token in enumerate(tokens):
        if token.lastgroup not in ("word", "name"):
            continue
        before = tokens[number - 1].group() if number else ""
        after = tokens[number + 1].group() if number + 1 < len(tokens) else ""
        if before.upper() not in (".", "AS") or after == "(":
            yield token.group().strip('`"'), after == "("


def _types_alone(tree: Sequence[str]) -> bool:
    for number, line in enumerate(tree):
        if _VALUES_NODE.match(line) is None:
            continue
        first = tree[number + 2] if number + 2 < len(tree) else ""
        if _PLAIN_ARGUMENT.match(first) is None or _EXPRESSIONS.search(first):
            return False
    return True

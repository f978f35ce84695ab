"""The functions that the read-only user may call.

A function can be called without a function's syntax: ``arrayMap(file, ...)`` and
``* APPLY file`` name it like a column. So every word of a statement is checked, in the
engine's own formatting, which has no comments and resolved escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# Categories (system.functions.categories, or Aggregate) whose functions depend on their arguments
# only
_PURE_CATEGORIES = frozenset(
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
# Of the other categories, which also have functions that read files, call services or expose the
# server
_OTHER_FUNCTIONS = frozenset(
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
# Table functions that compute rows, or read tables that the user may read anyway. Those that take
# a structure are denied, because it may hold expressions; the structure of `values` is checked.
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
# Expressions in a structure
_EXPRESSIONS = re.compile(r"\b(?:default|materialized|alias|ephemeral)\b", re.IGNORECASE)
_VALUES_NODE = re.compile(r"\s*Function values\b", re.IGNORECASE)
# Its first argument is the structure, or the first row
_PLAIN_ARGUMENT = re.compile(r"\s*(?:Literal |Function tuple )")

FUNCTIONS_QUERY = (
    "SELECT name, if(is_aggregate, 'Aggregate', categories), "
    "if(alias_to = '', name, alias_to) FROM system.functions"
)
"""Lists every function with its categories, and the function that it is an alias of."""


@dataclass(frozen=True, slots=True)
class ReadonlyFunctions:
    """The functions that the read-only user may not call, in lower case."""

    denied_functions: frozenset[str]
    denied_table_functions: frozenset[str]

    @classmethod
    def of(
        cls, functions: Sequence[tuple[str, str, str]], table_functions: Sequence[str]
    ) -> ReadonlyFunctions:
        """Classify the rows of `FUNCTIONS_QUERY`; functions of unknown categories are denied."""
        # An alias has no categories, and may differ by case only
        categories_of = {
            name.lower(): categories for name, categories, _ in functions if categories
        }

        def allowed(name: str) -> bool:
            categories = categories_of.get(name, "")
            pure = bool(categories) and set(categories.split(",")) <= _PURE_CATEGORIES
            return pure or name in _OTHER_FUNCTIONS

        return cls(
            frozenset(
                name.lower()
                for name, _, alias_to in functions
                if not allowed(name.lower()) and not allowed(alias_to.lower())
            ),
            frozenset(name.lower() for name in table_functions) - _TABLE_FUNCTIONS,
        )

    def denied(self, canonical: str, tree: Sequence[str], params: Mapping[str, str]) -> str | None:
        """Return why a statement is denied, None if it is allowed.

        ``canonical`` is the statement as the engine formats it, ``tree`` its syntax tree.
        """
        words = list(_words(canonical))
        if _IDENTIFIER_PARAMETER.search(canonical):
            words += [(value, False) for text in params.values() for value, _ in _words(text)]
        for word, called in words:
            name = word.lower()
            if name in self.denied_functions or (called and name in self.denied_table_functions):
                return f"the read-only user may not use the function {word}."
        if not _has_types_only(tree):
            return "the read-only user may not use values() with expressions in its structure."
        return None


def depends_on_parameters(canonical: str) -> bool:
    """Return whether other values of parameters may make an allowed statement a denied one.

    They can be names, or the structure of `values`.
    """
    named = any(word.lower() == "values" for word, _ in _words(canonical))
    return named or _IDENTIFIER_PARAMETER.search(canonical) is not None


def _words(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the names in a statement, and whether a bracket follows, without aliases (after AS)
    and parts of a longer name (after a dot): neither refers to a function."""
    tokens = [found for found in _TOKEN.finditer(text) if found.lastgroup != "string"]
    for number, token in enumerate(tokens):
        if token.lastgroup not in ("word", "name"):
            continue
        before = tokens[number - 1].group() if number else ""
        after = tokens[number + 1].group() if number + 1 < len(tokens) else ""
        if before.upper() not in (".", "AS") or after == "(":
            yield token.group().strip('`"'), after == "("


def _has_types_only(tree: Sequence[str]) -> bool:
    for number, line in enumerate(tree):
        if _VALUES_NODE.match(line) is None:
            continue
        first = tree[number + 2] if number + 2 < len(tree) else ""
        if _PLAIN_ARGUMENT.match(first) is None or _EXPRESSIONS.search(first):
            return False
    return True

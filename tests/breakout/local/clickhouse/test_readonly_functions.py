"""Which functions of the engine a reader may name: every one of them was looked at."""

import clickhouse_connect
import httpx
import pytest

from breakout.local.clickhouse.readonly_functions import FUNCTIONS_QUERY, ReadonlyFunctions
from tests.breakout.local.conftest import READER_PASSWORD
from tests.support.embedded_servers import ClickHouseServer

# A newer engine changes these: look at what it brings before you change them.
FUNCTIONS = 1885
REFUSED = [
    "__actionname",
    "__applyfilter",
    "__bitboolmaskand",
    "__bitboolmaskor",
    "__bitswaplasttwo",
    "__bitwrapperfunc",
    "__getscalar",
    "__groupingforcube",
    "__groupingforgroupingsets",
    "__groupingforrollup",
    "__groupingordinary",
    "__patchpartitionid",
    "__scalarsubqueryresult",
    "__toyearcalendaronly",
    "_cast",
    "addresstoline",
    "addresstolinewithinlines",
    "addresstosymbol",
    "aiclassify",
    "aiembed",
    "aiextract",
    "aifilter",
    "aigenerate",
    "airedact",
    "aisimilarity",
    "aitranslate",
    "assigncentroid",
    "buildid",
    "currenthandler",
    "currentrequesturl",
    "demangle",
    "dictget",
    "dictgetall",
    "dictgetchildren",
    "dictgetdate",
    "dictgetdateordefault",
    "dictgetdatetime",
    "dictgetdatetimeordefault",
    "dictgetdescendants",
    "dictgetfloat32",
    "dictgetfloat32ordefault",
    "dictgetfloat64",
    "dictgetfloat64ordefault",
    "dictgethierarchy",
    "dictgetint16",
    "dictgetint16ordefault",
    "dictgetint32",
    "dictgetint32ordefault",
    "dictgetint64",
    "dictgetint64ordefault",
    "dictgetint8",
    "dictgetint8ordefault",
    "dictgetipv4",
    "dictgetipv4ordefault",
    "dictgetipv6",
    "dictgetipv6ordefault",
    "dictgetkeys",
    "dictgetordefault",
    "dictgetornull",
    "dictgetroot",
    "dictgetstring",
    "dictgetstringordefault",
    "dictgetuint16",
    "dictgetuint16ordefault",
    "dictgetuint32",
    "dictgetuint32ordefault",
    "dictgetuint64",
    "dictgetuint64ordefault",
    "dictgetuint8",
    "dictgetuint8ordefault",
    "dictgetuuid",
    "dictgetuuidordefault",
    "dicthas",
    "dictisin",
    "evalmlmethod",
    "file",
    "filesystemavailable",
    "filesystemcapacity",
    "filesystemunreserved",
    "formatqueryfromjson",
    "fuzzquery",
    "generaterandomstructure",
    "generateserialid",
    "getclienthttpheader",
    "getmacro",
    "getmaxtablenamelengthfordatabase",
    "getmergetreesetting",
    "getoskernelversion",
    "getserverport",
    "getserversetting",
    "hasthreadfuzzer",
    "highlightquery",
    "icebergbucket",
    "icebergtruncate",
    "ismergetreepartcoveredby",
    "joinget",
    "joingetornull",
    "logtrace",
    "mergetreepartinfo",
    "naivebayesclassifier",
    "naivebayesclassifierwithallprobs",
    "naivebayesclassifierwithprob",
    "obfuscatequery",
    "obfuscatequerywithseed",
    "parsequerytojson",
    "regionhierarchy",
    "regionin",
    "regiontoarea",
    "regiontocity",
    "regiontocontinent",
    "regiontocountry",
    "regiontodistrict",
    "regiontoname",
    "regiontopopulation",
    "regiontotopcontinent",
    "serveruuid",
    "shardcount",
    "shardnum",
    "showcertificate",
    "structuretocapnprotoschema",
    "structuretoprotobufschema",
    "tid",
    "transactionid",
    "transactionlatestsnapshot",
    "transactionoldestsnapshot",
    "validatenestedarraysizes",
    "zookeepersessionuptime",
]


@pytest.fixture
def listed(http: httpx.Client) -> list[tuple[str, str, str]]:
    rows = http.post("/", content=f"{FUNCTIONS_QUERY} FORMAT TSVRaw").text.splitlines()
    return [(name, kinds, same_as) for name, kinds, same_as in (row.split("\t") for row in rows)]


def test_every_function_of_the_engine_was_looked_at(
    http: httpx.Client, listed: list[tuple[str, str, str]]
) -> None:
    assert len(listed) == FUNCTIONS
    assert sorted(ReadonlyFunctions.of(listed, []).denied_functions) == REFUSED


def test_unknown_functions_are_refused() -> None:
    functions = [
        ("readsFiles", "Brand New", "readsFiles"),
        ("rf", "", "readsFiles"),
        ("x", "", "x"),
    ]
    found = ReadonlyFunctions.of([*functions, ("plus", "Arithmetic", "plus")], ["opens", "numbers"])
    assert found.denied_functions == {"readsfiles", "rf", "x"}
    assert found.denied_table_functions == {"opens"}


@pytest.mark.parametrize(
    ("canonical", "word"),
    [
        ("SELECT file('x')", "file"),
        ("SELECT FILE ('x')", "FILE"),
        ("SELECT arrayMap(`file`, a)", "file"),
        ("SELECT * APPLY file FROM t", "file"),
        ("SELECT 1 AS file, arrayMap(file, a)", "file"),
        ("SELECT * FROM opens('x')", "opens"),
    ],
)
def test_a_name_is_found_wherever_it_stands(canonical: str, word: str) -> None:
    functions = ReadonlyFunctions(frozenset({"file"}), frozenset({"opens"}))
    assert (
        functions.denied(canonical, [], {})
        == f"the read-only user may not use the function {word}."
    )


@pytest.mark.parametrize(
    "canonical",
    [
        "SELECT 'file(x)', 'it\\'s file'",
        "SELECT t.file, t.`file` FROM t",
        "SELECT 1 AS file, 2 AS `file`",
        "SELECT opens, files, profile FROM opens",
    ],
)
def test_a_name_of_something_else_is_none(canonical: str) -> None:
    functions = ReadonlyFunctions(frozenset({"file"}), frozenset({"opens"}))
    assert functions.denied(canonical, [], {}) is None


def test_a_client_logs_in_as_the_reader(server: ClickHouseServer) -> None:
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=server.port, username="reader", password=READER_PASSWORD
    )
    assert client.command("SELECT toTimeZone(now(), 'UTC') IS NULL") == 0
    client.close()

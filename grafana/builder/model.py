"""Model: everything about one model, each number with where it comes from."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.builder import annotations, variables
from grafana.builder.colours import (
    ABOVE,
    BAD,
    BASELINE,
    BELOW,
    LINE,
    RELATIONS,
    STATES,
    STATUSES,
    WARNING,
)
from grafana.builder.layout import Section, place
from grafana.builder.panels import Column, Head, bars, by_age, lines, number, rows
from grafana.builder.provenance import DOWNLOADS, About
from grafana.builder.queries import series, table

MODEL = "${model:singlequote}"
SCORES = "${baseline:singlequote}"
HUB = ("huggingface",)
NO_RAM = "No RAM to show"
NO_DOWNLOADS = "No downloads to show"


def fill(dashboard: Dashboard) -> Dashboard:
    """Add this dashboard's variables, annotations and panels."""
    dashboard.with_variable(variables.model()).with_variable(variables.baseline())
    for marks in (
        annotations.release(),
        *annotations.crossings(SCORES, MODEL),
        annotations.falls(),
    ):
        dashboard.annotation(marks)
    return place(
        dashboard,
        [
            Section(
                "Model ${model}",
                [
                    (_fact("RAM now", "ram", "suffix:x", SCORES), 4),
                    (_fact("Age", "floor(age_days)", "suffix:d", SCORES), 4),
                    (_total(), 4),
                    (_thirty_days(), 4),
                    (_likes(), 4),
                    (_size(), 4),
                ],
                height=4,
            ),
            Section("Downloads", [(_daily(), 12), (_cumulative(), 12)]),
            Section("Adoption", [(_ram(), 12), (_against_baseline(), 12)]),
            Section(
                "Milestones and crossings", [(_milestones(), 12), (_crossings(), 12)], height=8
            ),
            Section("Family", [(_family(), 8), (_derivatives(), 16)]),
            Section("Use and ratings", [(_tokens(), 8), (_ratings(), 16)]),
            Section(
                "Provenance",
                [(_facts(), 12), (_elsewhere(), 12), (_observations(), 24), (_missing(), 24)],
            ),
        ],
    )


def _fact(title: str, value: str, unit: str, baseline: str) -> object:
    return number(
        Head(
            title,
            About(
                "At the latest observation, against the chosen baseline. Missing where the model has no size or "
                "release date, or is older than a year.",
                DOWNLOADS,
            ),
            unit,
        ),
        table(
            f"SELECT {value} AS value FROM ram_now WHERE model_id = {MODEL} AND baseline = {baseline}"
        ),
        steps=[(None, BELOW), (1, ABOVE)] if value == "ram" else (),
    )


def _total() -> object:
    return number(
        Head(
            "Downloads",
            About(
                "Cumulative downloads on the Hub since creation, at the latest moment at which the counter is known.",
                HUB,
            ),
            "short",
        ),
        table(
            "SELECT huggingface AS downloads FROM downloads_by_source\n"
            f"WHERE model_id = {MODEL} AND huggingface IS NOT NULL"
        ),
    )


def _latest(column: str) -> str:
    return (
        f"SELECT argMaxOrNull({column}, observed_at) AS value FROM downloads_log\n"
        f"WHERE model_id = {MODEL} AND source = 'huggingface' AND {column} IS NOT NULL"
    )


def _thirty_days() -> object:
    return number(
        Head(
            "Last 30 days",
            About(
                "Downloads as the Hub counts them: its own rolling count at the latest observation; never cumulative.",
                HUB,
            ),
            "short",
        ),
        table(_latest("downloads_30d")),
    )


def _likes() -> object:
    return number(
        Head("Likes", About("At the latest observation.", HUB), "short"),
        table(_latest("likes")),
    )


def _size() -> object:
    return number(
        Head(
            "Size bin",
            About("By total parameters.", ("tracked-models", "huggingface")),
            "string",
        ),
        table(
            f"SELECT toString(size_bin) AS size_bin FROM models WHERE model_id = {MODEL} AND size_bin IS NOT NULL"
        ),
    )


def _daily() -> object:
    sql = f"""
SELECT toDateTime(day, 'UTC') AS time, one.1 AS label, toNullable(toFloat64(one.2)) AS Value
FROM downloads_daily
ARRAY JOIN arrayFilter(
    one -> one.1 != 'correction' OR one.2 > 0,
    [(toString(basis), downloads), ('correction', toNullable(correction))]
) AS one
WHERE model_id = {MODEL} AND $__timeFilter(time)
ORDER BY time, label
"""
    return bars(
        Head(
            "Downloads by day",
            About(
                "observed: between two moments at which the counter is known, evenly spread. held: the Hub did not renew "
                "the counter, or rolled it back, in between; the total is right, the day is not known. gap: these moments "
                "are more than 4 days apart. Points mark what corrections took away.",
                DOWNLOADS,
            ),
            "short",
            NO_DOWNLOADS,
        ),
        series(sql),
        colours={"observed": LINE, "held": WARNING, "gap": BELOW, "correction": BAD},
        points=("correction",),
    )


def _cumulative() -> object:
    sql = f"""
SELECT time, label, Value FROM
(
    SELECT toDateTime(observed_at, 'UTC') AS time, 'counter, raw' AS label, toNullable(toFloat64(downloads_all_time)) AS Value
    FROM downloads
    WHERE model_id = {MODEL} AND downloads_all_time IS NOT NULL
    UNION ALL
    SELECT toDateTime(day + 1, 'UTC') AS time, 'downloads, clean' AS label, toNullable(toFloat64(cumulative)) AS Value
    FROM downloads_daily
    WHERE model_id = {MODEL}
)
WHERE $__timeFilter(time)
ORDER BY time, label
"""
    # Series are drawn in the order of their names: the clean line over the raw one.
    return lines(
        Head(
            "Cumulative downloads, clean and raw",
            About(
                "The clean series, at the end of each UTC day, passes over days on which the Hub did not renew the counter "
                "or rolled it back. It falls only where the Hub corrects the counter for good.",
                HUB,
            ),
            "short",
            NO_DOWNLOADS,
        ),
        series(sql),
        colours={"downloads, clean": LINE, "counter, raw": BAD},
    )


def _ram() -> object:
    return by_age(
        Head(
            "RAM by age",
            About(
                "Cumulative downloads at each whole-day age, divided by the chosen baseline of its size at that age. "
                "Empty where fewer than 10 peers were observed.",
                DOWNLOADS,
            ),
            "suffix:x",
            NO_RAM,
        ),
        f"""
SELECT age_days, 'RAM' AS label, ram AS value FROM ram
WHERE model_id = {MODEL} AND baseline = {SCORES}
ORDER BY age_days
""",
        threshold=1.0,
        colours={"RAM": ABOVE},
    )


def _against_baseline() -> object:
    return by_age(
        Head(
            "Downloads by age, against the baseline",
            About(
                "Cumulative downloads, and the baseline of its size: RAM is the first divided by the second.",
                DOWNLOADS,
            ),
            "short",
            NO_RAM,
        ),
        f"""
SELECT age_days, kind AS label, count AS value FROM ram
ARRAY JOIN ['downloads', 'baseline'] AS kind, [toNullable(toFloat64(cumulative)), baseline_downloads] AS count
WHERE model_id = {MODEL} AND baseline = {SCORES}
ORDER BY age_days, label DESC
""",
        colours={"downloads": LINE, "baseline": BASELINE},
    )


def _milestones() -> object:
    return rows(
        Head(
            "RAM at the milestones",
            About("At each milestone passed, with what it rests on.", DOWNLOADS),
            "string",
            "No milestones to show",
        ),
        table(
            "SELECT age_days, ram, cumulative, baseline_downloads, peers, as_of FROM ram_milestones\n"
            f"WHERE model_id = {MODEL} AND baseline = {SCORES}\nORDER BY age_days"
        ),
        columns=[
            Column("age_days", "Age", "suffix:d", 0, 70),
            Column("ram", "RAM", "suffix:x", 2, 80),
            Column("cumulative", "Downloads", "short", width=110),
            Column("baseline_downloads", "Baseline", "short", width=100),
            Column("peers", "Peers", "none", 0, 80),
            Column("as_of", "On", "time:YYYY-MM-DD", width=110),
        ],
    )


def _crossings() -> object:
    return rows(
        Head(
            "First crossings of 1.0x, by baseline",
            About(
                "Between the ages of 7 and 90 days; it ended when RAM fell below 0.9. Capped: each day counts with at most "
                "10 times the median day. A crossing is confirmed once that reaches 1.0, and else a burst.",
                DOWNLOADS,
            ),
            "string",
            "No crossings to show",
        ),
        table(
            "SELECT toString(baseline) AS baseline, toString(status) AS status, crossed_at, age_days, ram, ram_capped, ended_at\n"
            f"FROM breakouts\nWHERE model_id = {MODEL}\nORDER BY baseline"
        ),
        columns=[
            Column("baseline", "Baseline", width=84),
            Column("status", "Status", width=94, colours=STATUSES),
            Column("crossed_at", "Passed 1.0x", "time:YYYY-MM-DD", width=104),
            Column("age_days", "Age", "suffix:d", 0, 54),
            Column("ram", "RAM", "suffix:x", 2, 66),
            Column("ram_capped", "Capped", "suffix:x", 2, 74),
            Column("ended_at", "Below 0.9x", "time:YYYY-MM-DD", width=104),
        ],
    )


def _family() -> object:
    sql = f"""
SELECT one.1 AS part, one.2 AS downloads
FROM families
ARRAY JOIN
[
    ('own', toNullable(own_downloads)), ('quantized', toNullable(quantized_downloads)),
    ('finetune', toNullable(finetune_downloads)), ('adapter', toNullable(adapter_downloads)),
    ('merge', toNullable(merge_downloads)), ('unknown', toNullable(unknown_downloads)),
    ('all together', family_downloads)
] AS one
WHERE model_id = {MODEL}
"""
    return rows(
        Head(
            "Downloads of its family, by relation",
            About(
                "Its own, and those of its counted derivatives since their creation. Families are kept of tracked "
                "models only.",
                DOWNLOADS,
            ),
            "string",
            "No family to show",
        ),
        table(sql),
        columns=[
            Column("part", "Part", colours=RELATIONS),
            Column("downloads", "Downloads", "short"),
        ],
    )


def _derivatives() -> object:
    sql = f"""
SELECT
    model_id, toString(relation) AS relation, depth, downloads_all_time AS downloads, created_at, observed_at
FROM
(
    SELECT *, arrayElement(depths, indexOf(ancestors, {MODEL})) AS depth
    FROM derivatives
    WHERE has(ancestors, {MODEL}) AND source = 'huggingface'
)
ORDER BY downloads DESC NULLS LAST, model_id
LIMIT 100
"""
    return rows(
        Head(
            "Most downloaded derivatives",
            About("At most 100 of the models that derive from it, directly or not.", HUB),
            "string",
            "No derivatives to show",
        ),
        table(sql),
        columns=[
            Column("model_id", "Derivative", link="https://huggingface.co/${__value.raw}"),
            Column("relation", "Relation", width=110, colours=RELATIONS),
            Column("depth", "Generations", "none", 0, 110),
            Column("downloads", "Downloads", "short", width=110),
            Column("created_at", "Created", "time:YYYY-MM-DD", width=110),
            Column("observed_at", "As of", "time:YYYY-MM-DD", width=110),
        ],
    )


def _tokens() -> object:
    sql = f"""
SELECT toDateTime(day, 'UTC') AS time, slug AS label, toNullable(toFloat64(tokens)) AS Value
FROM inference_tokens
WHERE model_id = {MODEL} AND $__timeFilter(time)
ORDER BY time, label
"""
    return bars(
        Head(
            "Inference tokens by day and name",
            About(
                "Prompt and completion tokens on OpenRouter, each provider's own tokenizer; of the names that were "
                "reviewed to be this model.",
                ("openrouter",),
            ),
            "short",
            "No tokens to show",
        ),
        series(sql),
    )


def _ratings() -> object:
    sql = f"""
SELECT
    toString(source) AS source, arrayStringConcat(arrayFilter(one -> one != '', [toString(board), toString(index_version)]), ', ') AS board,
    name, rating, if(lower IS NULL OR upper IS NULL, NULL, concat(toString(round(lower, 1)), ' to ', toString(round(upper, 1)))) AS interval, published_on
FROM scores
WHERE model_id = {MODEL}
ORDER BY published_on DESC, source, board, name
LIMIT 1 BY source, board, name
"""
    return rows(
        Head(
            "Latest ratings",
            About(
                "Ratings of different boards or versions are never compared.",
                ("arena", "artificial-analysis"),
            ),
            "string",
            "No ratings to show",
        ),
        table(sql),
        columns=[
            Column("source", "Source", width=146),
            Column("board", "Board", width=172),
            Column("name", "Name there", min_width=200),
            Column("rating", "Rating", "none", 1, 74),
            Column("interval", "Interval", width=128),
            Column("published_on", "Day", "time:YYYY-MM-DD", width=96),
        ],
    )


def _rounded(billions: str) -> str:
    """Return SQL of a number of parameters to three digits or so."""
    return f"round({billions}, if({billions} < 1, 3, if({billions} < 100, 1, 0)))"


def _facts() -> object:
    sql = f"""
SELECT one.1 AS fact, one.2 AS value, one.3 AS origin
FROM
(
    SELECT
    [
        ('Organisation', toString(org), 'its id'),
        ('Region', ifNull(toString(region), 'not reviewed'), ifNull(toString(region_source), '')),
        ('Parameters', ifNull(concat(toString({_rounded("total_params_b")}), ' B'), 'not known'), ifNull(toString(size_source), '')),
        ('Active parameters', ifNull(concat(toString({_rounded("active_params_b")}), ' B'), 'not stated'), ''),
        ('Released', ifNull(toString(released_at), 'not known'), ifNull(toString(released_source), '')),
        ('Licence', ifNull(toString(license), 'not stated'), 'tags'),
        ('Task', ifNull(toString(pipeline_tag), 'not stated'), 'tags'),
        ('Derives from', if(empty(base_models), 'nothing known', arrayStringConcat(base_models, ', ')), ifNull(toString(base_relation), '')),
        ('Tracked', if(tracked, 'yes: it counts among the peers', 'no'), 'tracked list'),
        ('Registry read', formatDateTime(observed_at, '%Y-%m-%d %H:%i UTC', 'UTC'), '')
    ] AS facts
    FROM models
    WHERE model_id = {MODEL}
)
ARRAY JOIN facts AS one
"""
    return rows(
        Head(
            "What is known of it, and from where",
            About(
                "Each fact with its origin: a correction, a list, the weights' metadata, or the name.",
                DOWNLOADS,
            ),
            "string",
            "No facts to show",
        ),
        table(sql),
        columns=[
            Column("fact", "Fact", width=140),
            Column("value", "Value", min_width=160),
            Column("origin", "From", width=184),
        ],
    )


def _observations() -> object:
    sql = f"""
SELECT
    observed_at, toString(source) AS source, toString(origin) AS origin, downloads_all_time,
    ifNull(toString(state), 'no counter') AS state, delta, correction, downloads_30d
FROM downloads_by_source_log
WHERE model_id = {MODEL} AND $__timeFilter(observed_at)
ORDER BY observed_at DESC, source
LIMIT 200
"""
    return rows(
        Head(
            "Observations behind its numbers",
            About(
                "As they were read, latest first, with what each is to its series; at most 200 of the time shown. "
                "between: the counter is renewed once a day. idle: no downloads. held: not renewed. New: since the "
                "observation before at which the counter was known.",
                ("huggingface", "modelscope"),
            ),
            "string",
            NO_DOWNLOADS,
        ),
        table(sql),
        columns=[
            Column("observed_at", "Observed", "dateTimeAsIso", width=180),
            Column("source", "Source", width=120),
            Column("origin", "Read", width=110),
            Column("downloads_all_time", "Raw counter", "locale", 0, 130),
            Column("state", "State", width=110, colours=STATES),
            Column("delta", "New", "locale", 0, 110),
            Column("correction", "Corrected by", "locale", 0, 110),
            Column("downloads_30d", "30 days", "locale", 0),
        ],
    )


def _elsewhere() -> object:
    return rows(
        Head(
            "On the Hub and on ModelScope",
            About(
                "Two counters of different places; never added up.", ("huggingface", "modelscope")
            ),
            "string",
            NO_DOWNLOADS,
        ),
        table(
            "SELECT huggingface, huggingface_at, modelscope, modelscope_at FROM downloads_by_source\n"
            f"WHERE model_id = {MODEL}"
        ),
        columns=[
            Column("huggingface", "Hub", "locale", 0, 130),
            Column("huggingface_at", "Hub's as of", "dateTimeAsIso", width=170),
            Column("modelscope", "ModelScope", "locale", 0, 130),
            Column("modelscope_at", "ModelScope's as of", "dateTimeAsIso", width=170),
        ],
    )


def _missing() -> object:
    return rows(
        Head(
            "Scrapes that did not get it, and why",
            About(
                "What a scrape wanted and did not get; latest first, at most 100.",
                ("huggingface", "modelscope"),
            ),
            "string",
            "No scrapes without it to show",
        ),
        table(
            "SELECT observed_at, toString(source) AS source, reason FROM scrape_missing\n"
            f"WHERE model_id = {MODEL} AND $__timeFilter(observed_at)\n"
            "ORDER BY observed_at DESC, source\nLIMIT 100"
        ),
        columns=[
            Column("observed_at", "Scrape", "dateTimeAsIso", width=180),
            Column("source", "Source", width=120),
            Column("reason", "Why"),
        ],
    )

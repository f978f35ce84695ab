"""Ecosystem: every chart of the mission, over all tracked models."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.builder import variables
from grafana.builder.colours import ABOVE, BASELINE, REGIONS, by_rank
from grafana.builder.layout import Section, place
from grafana.builder.panels import Column, Head, bars, lines, rows
from grafana.builder.provenance import DOWNLOADS, About
from grafana.builder.queries import (
    ClickHouseQuery,
    chart,
    chart_series,
    ranked_series,
    series,
    table,
)

IN_PROGRESS = " The latest month may still be in progress."
DERIVED = (
    "Models with more than 5 downloads that finetune, adapt, merge or quantize a tracked model, by the month of "
    "their creation; shares are those of what they derive from. One that derives from several organisations counts "
    "for each. The latest months still grow."
)
FEW_TOKENS = "No tokens to show"
NO_DERIVATIVES = "No derivatives to show"
NO_DOWNLOADS = "No downloads to show"


def fill(dashboard: Dashboard) -> Dashboard:
    """Add this dashboard's variables and panels."""
    dashboard.with_variable(variables.size_bin("leaders_bin", "Leaders of the size", "1-5B"))
    dashboard.with_variable(variables.size_bin("share_bin", "Shares of the size", "250B+"))
    dashboard.with_variable(variables.organisation())
    return place(
        dashboard,
        [
            Section(
                "Downloads",
                [
                    (_cumulative("region"), 12),
                    (_cumulative("org"), 12),
                    (_monthly(), 12),
                    (_top_models(), 12),
                ],
            ),
            Section(
                "Sizes",
                [(_leaders(), 12), (_bin_share(), 12)],
            ),
            Section(
                "One organisation against the others", [(_catalogues(), 12), (_modelscope(), 12)]
            ),
            Section(
                "Derivatives",
                [(_derivatives("region"), 12), (_derivatives("org"), 12), (_families(), 24)],
            ),
            Section(
                "Inference",
                [(_inference("region"), 8), (_inference("org"), 8), (_open_share(), 8)],
            ),
            Section("Leaderboards", [(_rating(), 12), (_index(), 12)]),
            Section("Where the numbers come from", [(_sources(), 24)], height=14),
        ],
    )


def _cumulative(by: str) -> object:
    name = {"region": "region", "org": "organisation"}[by]
    return lines(
        Head(
            f"Cumulative downloads by {name}",
            About(
                "Of tracked models: clean downloads since each one's first observation, and what it had by then. A model that is "
                "observed no more keeps its last count."
                + (" The ten organisations with the most downloads." if by == "org" else ""),
                DOWNLOADS,
            ),
            no_data=NO_DOWNLOADS,
        ),
        _series(f"cumulative_downloads_by_{name}", "day", by, "downloads"),
        colours=_colours(by),
    )


def _series(name: str, time: str, by: str, value: str, **chosen: str) -> ClickHouseQuery:
    return (chart_series if by == "region" else ranked_series)(name, time, by, value, **chosen)


def _all(by: str) -> dict[str, str]:
    """Return the parameter that lets a chart of shares give all organisations: they must add up to 100%."""
    return {"top": str(2**32 - 1)} if by == "org" else {}


def _colours(by: str) -> dict[str, str]:
    return REGIONS if by == "region" else by_rank()


def _monthly() -> object:
    return bars(
        Head(
            "New downloads by organisation and month",
            About(
                "Of tracked models; the ten organisations with the most new downloads."
                + IN_PROGRESS,
                DOWNLOADS,
            ),
            no_data=NO_DOWNLOADS,
        ),
        _series("monthly_downloads_by_organisation", "month", "org", "downloads"),
        colours=_colours("org"),
    )


def _models(title: str, meaning: str, sql: str, *more: Column) -> object:
    columns = [
        Column("rank", "Rank", "none", 0, 56),
        Column("model_id", "Model", min_width=160, model_link=True),
        Column("downloads", "Downloads", "short", width=100),
        *more,
        Column("month", "Month", "time:YYYY-MM", width=84),
        Column("whole", "Whole", width=70),
    ]
    shown = ", ".join(_yes_no(column.name) for column in columns)
    return rows(
        Head(title, About(meaning, DOWNLOADS), "string", NO_DOWNLOADS),
        table(f"SELECT {shown} FROM\n(\n{sql}\n)\nORDER BY rank"),
        columns=columns,
    )


def _yes_no(column: str) -> str:
    # Of a Bool Grafana would show nothing by a value's mapping.
    return f"if({column}, 'yes', 'no') AS {column}" if column == "whole" else column


def _top_models() -> object:
    return _models(
        "Most downloaded in the latest whole month",
        "New downloads of the month, of tracked models of all sizes; whether all of it was observed.",
        chart("top_models_of_a_month"),
        Column("size_bin", "Size", width=90),
    )


def _leaders() -> object:
    return _models(
        "Most downloaded of size ${leaders_bin}",
        "New downloads of the latest whole month, of tracked models of the chosen size: small models are downloaded "
        "far more often than large ones, so each size has its own leaders.",
        chart("top_models_of_a_month", size_bin="${leaders_bin:singlequote}", top="10"),
        Column("region", "Region", width=100, colours=REGIONS),
    )


def _bin_share() -> object:
    return bars(
        Head(
            "Shares of size ${share_bin} by organisation",
            About(
                "Of a month's new downloads of all tracked models of the chosen size."
                + IN_PROGRESS,
                DOWNLOADS,
            ),
            unit="percentunit",
            no_data=NO_DOWNLOADS,
        ),
        _series(
            "size_bin_share_by_organisation",
            "month",
            "org",
            "share",
            size_bin="${share_bin:singlequote}",
        ),
        colours=_colours("org"),
    )


def _catalogues() -> object:
    return rows(
        Head(
            "Top 5 models against whole catalogues",
            About(
                "New downloads in the latest whole month: of the five most downloaded models of the chosen organisation, "
                "and of all tracked models of each other one, with these summed from above.",
                DOWNLOADS,
            ),
            "string",
            NO_DOWNLOADS,
        ),
        table(
            "SELECT who, catalogue, models, downloads, together, month, if(whole, 'yes', 'no') AS whole FROM\n"
            f"(\n{chart('organisation_against_catalogues', org='${org:singlequote}')}\n)"
        ),
        columns=[
            Column("who", "Organisation", min_width=126),
            Column("catalogue", "Counted", width=122),
            Column("models", "Models", "none", 0, 68),
            Column("downloads", "Downloads", "short", width=92),
            Column("together", "Together", "short", width=84),
            Column("month", "Month", "time:YYYY-MM", width=74),
            Column("whole", "Whole", width=58),
        ],
    )


def _modelscope() -> object:
    return rows(
        Head(
            "Downloads on the Hub and on ModelScope",
            About(
                "Two counters of different places, counted in different ways; never added up.",
                ("huggingface", "modelscope", "tracked-models"),
            ),
            "string",
            "No downloads on ModelScope to show",
        ),
        table(chart("downloads_by_source")),
        columns=[
            Column("model_id", "Model", model_link=True),
            Column("huggingface", "Hub", "short", width=90),
            Column("modelscope", "ModelScope", "short", width=110),
            Column("ratio", "Of the Hub's", "percentunit", 1, 120),
        ],
    )


def _derivatives(by: str) -> object:
    name = {"region": "region", "org": "organisation"}[by]
    return bars(
        Head(
            f"Shares of new derivatives by {name}",
            About(DERIVED, DOWNLOADS),
            unit="percentunit",
            no_data=NO_DERIVATIVES,
        ),
        _series(f"derivative_share_by_{name}", "month", by, "share_of_new", **_all(by)),
        colours=_colours(by),
    )


def _families() -> object:
    return rows(
        Head(
            "Downloads with those of derivatives",
            About(
                "What derivatives add: a tracked model's own downloads, and those of its counted derivatives. A merge counts for each of its "
                "bases, so families do not add up.",
                DOWNLOADS,
            ),
            "string",
            "No families to show",
        ),
        table(
            "SELECT model_id, family_downloads, own_downloads, derivatives, share_of_derivatives FROM\n"
            f"(\n{chart('family_totals')}\n)"
        ),
        columns=[
            Column("model_id", "Model", model_link=True),
            Column("family_downloads", "Family", "short", width=110),
            Column("own_downloads", "Own", "short", width=110),
            Column("derivatives", "Derivatives", "locale", 0, 120),
            Column("share_of_derivatives", "Derivatives' share", "percentunit", 1, 160),
        ],
    )


def _inference(by: str) -> object:
    if by == "region":
        title = "Tokens of a month's top 10 by region"
        meaning = "Share of the tokens of the ten most used open models of the month, by the region of their organisation."
        query = _series("inference_share_by_region_of_top_models", "month", by, "share")
        sources: tuple[str, ...] = ("openrouter", "tracked-models")
    else:
        title = "Open models' tokens by organisation"
        meaning = "Of the tokens of all open models; the ten organisations with the most in the time shown."
        query = _series("inference_share_by_organisation", "month", by, "share_of_open", **_all(by))
        sources = ("openrouter",)
    return bars(
        Head(title, About(meaning + IN_PROGRESS, sources), "percentunit", FEW_TOKENS),
        query,
        colours=_colours(by),
    )


def _open_share() -> object:
    return lines(
        Head(
            "Open share of classified tokens",
            About(
                "Open of open and closed tokens. Names that nobody has classified are on neither side: the error bound "
                "says how far the share can be off for want of them." + IN_PROGRESS,
                ("openrouter",),
            ),
            "percentunit",
            FEW_TOKENS,
        ),
        # In one query: of two, each would call its series "A open share".
        series(
            f"""
SELECT toDateTime(month, 'UTC') AS time, kind AS label, toNullable(toFloat64(amount)) AS Value
FROM
(
{chart("open_inference_share")}
)
ARRAY JOIN ['open share', 'error bound'] AS kind, [open_share, error_bound] AS amount
WHERE $__timeFilter(time)
ORDER BY time, label
"""
        ),
        colours={"open share": ABOVE, "error bound": BASELINE},
    )


def _rating() -> object:
    return lines(
        Head(
            "Best open model on Arena by region",
            About("The highest rating of the text leaderboard, overall.", ("arena",)),
            "none",
            "No ratings to show",
            from_zero=False,
        ),
        chart_series("best_rating_by_region", "published_on", "region", "rating"),
        colours=REGIONS,
    )


def _index() -> object:
    return lines(
        Head(
            "Best open model on Artificial Analysis",
            About(
                "The highest Intelligence Index, by region and version. Each version of it is another quantity: lines of different versions are not joined.",
                ("artificial-analysis",),
            ),
            "none",
            "No ratings to show",
            from_zero=False,
        ),
        chart_series(
            "best_index_by_region",
            "published_on",
            "concat(region, ', version ', index_version)",
            "rating",
        ),
        colours={f"/^{region}, version /": colour for region, colour in REGIONS.items()},
    )


def _sources() -> object:
    return rows(
        Head(
            "Sources, licences, and how to cite them",
            About(
                "Every number here rests on these; as of the moment of their latest numbers.", ()
            ),
            "string",
            "No sources to show",
        ),
        table("SELECT title, measures, licence, as_of, citation, url FROM sources ORDER BY title"),
        columns=[
            Column("title", "Source", width=220, link="${__data.fields.url}"),
            Column("measures", "Measures", width=200, wrap=True),
            Column("licence", "Licence or terms", width=210, wrap=True),
            Column("as_of", "As of", "dateTimeAsIso", width=158),
            Column("citation", "How to cite", min_width=300),
            Column("url", "Where", hidden=True),
        ],
    )

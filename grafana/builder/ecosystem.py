"""Ecosystem: every chart of the mission, over all tracked models."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.builder import variables
from grafana.builder.colours import ORGANISATIONS, REGIONS
from grafana.builder.layout import Section, place
from grafana.builder.panels import Column, Head, bars, lines, rows
from grafana.builder.provenance import DOWNLOADS, About
from grafana.builder.queries import chart, chart_series, table

IN_PROGRESS = " The latest month may still be in progress."
DERIVED = (
    "Models with more than 5 downloads that finetune, adapt, merge or quantize a tracked model, by the month of "
    "their creation. One that derives from several organisations counts for each. The latest months still grow."
)
FEW_TOKENS = "No day of tokens was counted in the time shown"
NO_DERIVATIVES = "No derivatives were observed in the time shown"


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
                [(_derivatives("region"), 8), (_derivatives("org"), 8), (_families(), 8)],
            ),
            Section(
                "Inference",
                [(_inference("region"), 8), (_inference("org"), 8), (_open_share(), 8)],
            ),
            Section("Leaderboards", [(_rating(), 12), (_index(), 12)]),
            Section("Where the numbers come from", [(_sources(), 24)]),
        ],
    )


def _cumulative(by: str) -> object:
    name = {"region": "region", "org": "organisation"}[by]
    return lines(
        Head(
            f"Cumulative downloads of tracked models by {name}",
            About(
                "Clean downloads since each model's first observation and what it had by then. A model that is "
                "observed no more keeps its last count."
                + (" The ten organisations with the most downloads." if by == "org" else ""),
                DOWNLOADS,
            ),
            no_data="No downloads were observed in the time shown",
        ),
        chart_series(f"cumulative_downloads_by_{name}", "day", by, "downloads"),
        colours=REGIONS if by == "region" else ORGANISATIONS,
    )


def _monthly() -> object:
    return bars(
        Head(
            "New downloads of tracked models by organisation and month",
            About("The ten organisations with the most new downloads." + IN_PROGRESS, DOWNLOADS),
            no_data="No downloads were observed in the time shown",
        ),
        chart_series("monthly_downloads_by_organisation", "month", "org", "downloads"),
        colours=ORGANISATIONS,
    )


def _models(title: str, meaning: str, sql: str) -> object:
    return rows(
        Head(title, About(meaning, DOWNLOADS), "string", "No month was observed yet"),
        table(sql),
        columns=[
            Column("rank", "Rank", "none", 0, 70),
            Column("model_id", "Model", model_link=True),
            Column("org", "Organisation"),
            Column("region", "Region", width=110, colours=REGIONS),
            Column("size_bin", "Size", width=90),
            Column("downloads", "New downloads", "short", 2, 130),
            Column("month", "Month", "dateTimeAsIso", width=120),
            Column("whole", "Whole month", "bool_yes_no", width=110),
        ],
    )


def _top_models() -> object:
    return _models(
        "Most downloaded tracked models of the latest whole month",
        "New downloads of the month, of all sizes.",
        chart("top_models_of_a_month"),
    )


def _leaders() -> object:
    return _models(
        "Leaders of one size (${leaders_bin}) in the latest whole month",
        "New downloads of the month, of tracked models of the chosen size: small models are downloaded "
        "far more often than large ones, so each size has its own leaders.",
        chart("top_models_of_a_month", size_bin="${leaders_bin:singlequote}", top="10"),
    )


def _bin_share() -> object:
    return bars(
        Head(
            "Share of a size's new downloads (${share_bin}) by organisation and month",
            About("Of all tracked models of the chosen size." + IN_PROGRESS, DOWNLOADS),
            unit="percentunit",
            no_data="No model of this size was observed in the time shown",
        ),
        chart_series(
            "size_bin_share_by_organisation",
            "month",
            "org",
            "share",
            size_bin="${share_bin:singlequote}",
        ),
        colours=ORGANISATIONS,
    )


def _catalogues() -> object:
    return rows(
        Head(
            "The top 5 models of ${org} against others' whole catalogues",
            About(
                "New downloads in the latest whole month: of its five most downloaded models, and of all tracked models "
                "of each other organisation, with these summed from above.",
                DOWNLOADS,
            ),
            "string",
            "This organisation was not observed in the latest whole month",
        ),
        table(chart("organisation_against_catalogues", org="${org:singlequote}")),
        columns=[
            Column("who", "Organisation"),
            Column("catalogue", "Models counted as"),
            Column("models", "Models", "none", 0, 90),
            Column("downloads", "New downloads", "short", 2, 130),
            Column("together", "Catalogues together", "short", 2, 150),
            Column("month", "Month", "dateTimeAsIso", width=120),
            Column("months", "Months", "none", 0, 80),
            Column("whole", "Whole month", "bool_yes_no", width=110),
        ],
    )


def _modelscope() -> object:
    return rows(
        Head(
            "Downloads on the Hub and on ModelScope, side by side",
            About(
                "Two counters of different places, counted in different ways; never added up.",
                ("huggingface", "modelscope", "tracked-models"),
            ),
            "string",
            "No model was observed on ModelScope yet",
        ),
        table(chart("downloads_by_source")),
        columns=[
            Column("model_id", "Model", model_link=True),
            Column("huggingface", "Hugging Face Hub", "short", 2, 140),
            Column("modelscope", "ModelScope", "short", 2, 140),
            Column("ratio", "ModelScope of the Hub", "percentunit", 1, 170),
        ],
    )


def _derivatives(by: str) -> object:
    name = {"region": "region", "org": "organisation"}[by]
    return bars(
        Head(
            f"Share of new derivatives by {name} of what they derive from",
            About(DERIVED, DOWNLOADS),
            unit="percentunit",
            no_data=NO_DERIVATIVES,
        ),
        chart_series(f"derivative_share_by_{name}", "month", by, "share_of_new"),
        colours=REGIONS if by == "region" else ORGANISATIONS,
    )


def _families() -> object:
    return rows(
        Head(
            "What derivatives add to the downloads of tracked models",
            About(
                "A model's own downloads and those of its counted derivatives. A merge counts for each of its "
                "bases, so families do not add up.",
                DOWNLOADS,
            ),
            "string",
            "No family was observed yet",
        ),
        table(
            "SELECT model_id, family_downloads, own_downloads, derivatives, share_of_derivatives FROM\n"
            f"(\n{chart('family_totals')}\n)"
        ),
        columns=[
            Column("model_id", "Model", model_link=True),
            Column("family_downloads", "Family", "short", 2, 100),
            Column("own_downloads", "Own", "short", 2, 100),
            Column("derivatives", "Derivatives", "none", 0, 100),
            Column("share_of_derivatives", "Derivatives' share", "percentunit", 1, 140),
        ],
    )


def _inference(by: str) -> object:
    if by == "region":
        title = "Share of tokens among each month's top 10 open models, by region"
        meaning = "Tokens of the ten most used open models of the month, by the region of their organisation."
        query = chart_series("inference_share_by_region_of_top_models", "month", by, "share")
        sources: tuple[str, ...] = ("openrouter", "tracked-models")
    else:
        title = "Share of open models' tokens by organisation"
        meaning = (
            "Of the tokens of all open models; the ten organisations with the most in each month."
        )
        query = chart_series("inference_share_by_organisation", "month", by, "share_of_open")
        sources = ("openrouter",)
    return bars(
        Head(title, About(meaning + IN_PROGRESS, sources), "percentunit", FEW_TOKENS),
        query,
        colours=REGIONS if by == "region" else ORGANISATIONS,
    )


def _open_share() -> object:
    return lines(
        Head(
            "Share of open models in all classified tokens, and how far it can be off",
            About(
                "Open of open and closed tokens. Names that nobody has classified are on neither side: the error bound "
                "says how far the share can be off for want of them." + IN_PROGRESS,
                ("openrouter",),
            ),
            "percentunit",
            FEW_TOKENS,
        ),
        chart_series("open_inference_share", "month", "'open share'", "open_share"),
        chart_series("open_inference_share", "month", "'error bound'", "error_bound", ref_id="B"),
        colours={"open share": "#37872D", "error bound": "#808080"},
    )


def _rating() -> object:
    return lines(
        Head(
            "Best Arena rating of an open model, by region",
            About("Of the text leaderboard, overall.", ("arena",)),
            "none",
            "No leaderboard was read in the time shown",
        ),
        chart_series("best_rating_by_region", "published_on", "region", "rating"),
        colours=REGIONS,
    )


def _index() -> object:
    return lines(
        Head(
            "Best Artificial Analysis Intelligence Index of an open model, by region and version",
            About(
                "Each version of the index is another quantity: lines of different versions are not joined.",
                ("artificial-analysis",),
            ),
            "none",
            "No index was read in the time shown",
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
            "Sources, their licences, and how to cite them",
            About(
                "Every number here rests on these; as of the moment of their latest numbers.", ()
            ),
            "string",
            "No source is known: the schema is not up to date",
        ),
        table("SELECT title, measures, licence, as_of, citation, url FROM sources ORDER BY title"),
        columns=[
            Column("title", "Source", width=220),
            Column("measures", "Measures"),
            Column("licence", "Licence or terms"),
            Column("as_of", "As of", "dateTimeAsIso", width=180),
            Column("citation", "How to cite"),
            Column("url", "Where", link="${__value.raw}"),
        ],
    )

"""The operations of the API. Written by `make client` from the OpenAPI document."""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias
from urllib.parse import quote

from breakout.client.parameters import Day, Integers, Texts, Timestamp, Value
from breakout.client.result import Result

Region: TypeAlias = Literal["us", "china", "eu", "other", "unknown", "unreviewed"]
SizeBin: TypeAlias = Literal[
    "<1B", "1-5B", "7-9B", "10-50B", "50-100B", "100-250B", "250B+", "unknown"
]
BaselinesSizeBin: TypeAlias = Literal[
    "<1B", "1-5B", "7-9B", "10-50B", "50-100B", "100-250B", "250B+"
]
Kind: TypeAlias = Literal["model", "organisation"]
Sort: TypeAlias = Literal["ram", "downloads", "released", "model"]
DownloadsBy: TypeAlias = Literal["model", "org", "region", "size_bin", "family"]
InferenceTokensBy: TypeAlias = Literal["model", "org", "region"]
DownloadsInterval: TypeAlias = Literal["day", "week", "month"]
Interval: TypeAlias = Literal["day", "month"]
Series: TypeAlias = Literal["repaired", "raw"]
Source: TypeAlias = Literal["huggingface", "modelscope"]
LeaderboardsSource: TypeAlias = Literal["arena", "artificial-analysis"]
Status: TypeAlias = Literal["confirmed", "burst"]
Baseline: TypeAlias = Literal["live", "live_fixed", "live_cutoff"]
Relation: TypeAlias = Literal["adapter", "merge", "quantized", "finetune", "unknown"]


class Operations:
    """A method for each operation; a parameter that is None is left out."""

    def _request(
        self, path: str, parameters: Mapping[str, Value], models: Iterable[str] = ()
    ) -> Result:
        raise NotImplementedError

    def models(
        self,
        *models: str,
        model: Texts | None = None,
        org: Texts | None = None,
        region: Region | Iterable[Region] | None = None,
        size_bin: SizeBin | Iterable[SizeBin] | None = None,
        tracked: bool | None = None,
        released_from: Day | None = None,
        released_to: Day | None = None,
        family: Texts | None = None,
        search: str | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Models by organisation, region, size, release date, family, or part of the name.

        Args:
            model: Model ids, as `org/name`
            org: Publishing organisations
            region: Headquarters of the organisation; unreviewed = not known
            size_bin: Size bins by total parameters; unknown = no size bin
            tracked: Tracked models only (true), or others (false)
            released_from: Released on this day or later
            released_to: Released on this day or earlier
            family: These models and all their derivatives
            search: Part of the model id, ignoring case
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "models",
            {
                "model": model,
                "org": org,
                "region": region,
                "size_bin": size_bin,
                "tracked": tracked,
                "released_from": released_from,
                "released_to": released_to,
                "family": family,
                "search": search,
                "as_of": as_of,
                "limit": limit,
            },
            models,
        )

    def model(
        self, model_id: str, *, as_of: Timestamp | None = None, limit: int | None = None
    ) -> Result:
        """One model.

        Args:
            model_id: Model id, as `org/name`
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            f"models/{quote(model_id, safe='/')}", {"as_of": as_of, "limit": limit}
        )

    def search(
        self,
        *,
        search: str | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Models and organisations by words of their name, the best match first.

        Exact names come first, then those that begin with the text, then the rest: tracked models
        before others, by downloads. If no name has all words, the five nearest names are returned.
        As of the latest registry, for every `as_of`.

        Args:
            search: Words that the name must have, in any order and case; default: all names
            kind: What to search; default: both
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "search", {"search": search, "kind": kind, "as_of": as_of, "limit": limit}
        )

    def adoption(
        self,
        *models: str,
        model: Texts | None = None,
        org: Texts | None = None,
        region: Region | Iterable[Region] | None = None,
        size_bin: SizeBin | Iterable[SizeBin] | None = None,
        baseline: str | None = None,
        tracked: bool | None = None,
        released_from: Day | None = None,
        released_to: Day | None = None,
        search: str | None = None,
        sort: Sort | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Every model with its latest downloads and its rolling RAM, as a list to filter and sort.

        Models without RAM are listed, too. `downloads` of a model without a size bin or a release
        date are those until the end of its last whole day.

        Args:
            model: Model ids, as `org/name`
            org: Publishing organisations
            region: Headquarters of the organisation; unreviewed = not known
            size_bin: Size bins by total parameters; unknown = no size bin
            baseline: live, live_fixed, live_cutoff, or a frozen baseline
            tracked: Tracked models only (true), or others (false)
            released_from: Released on this day or later
            released_to: Released on this day or earlier
            search: Words that the model id must have, in any order and case
            sort: The highest, the most, the latest, or the first of the alphabet first
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "adoption",
            {
                "model": model,
                "org": org,
                "region": region,
                "size_bin": size_bin,
                "baseline": baseline,
                "tracked": tracked,
                "released_from": released_from,
                "released_to": released_to,
                "search": search,
                "sort": sort,
                "as_of": as_of,
                "limit": limit,
            },
            models,
        )

    def downloads(
        self,
        *models: str,
        model: Texts | None = None,
        org: Texts | None = None,
        region: Region | Iterable[Region] | None = None,
        size_bin: SizeBin | Iterable[SizeBin] | None = None,
        family: Texts | None = None,
        by: DownloadsBy | Iterable[DownloadsBy] | None = None,
        interval: DownloadsInterval | None = None,
        series: Series | None = None,
        source: Source | None = None,
        since: Day | None = None,
        until: Day | None = None,
        untracked: bool | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Downloads by day, week or month, of models, organisations, regions, size bins or
        families.

        Group by two of them for a series of each pair. A family is all models with the same root; a
        merge counts for each of its roots. A model that is no longer observed keeps its last count.
        A period without observations has no row. The latest periods of a group may lack models
        whose counters are not renewed yet: see `covered` and `whole`.

        Args:
            model: Model ids, as `org/name`
            org: Publishing organisations
            region: Headquarters of the organisation; unreviewed = not known
            size_bin: Size bins by total parameters; unknown = no size bin
            family: Families, by their root models
            by: One series for each; two (by=org,size_bin, or by=org&by=size_bin) make one series
                for each pair
            interval: One row for each
            series: repaired: the daily grid, with downloads spread between the moments at which the
                counter is known; raw: the counter's last value of each day as it was observed
            source: Source of the counters, which are never added up
            since: Periods that begin on this day or later
            until: Periods that begin on this day or earlier
            untracked: Include models that are not tracked; those in `model` always are included
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "downloads",
            {
                "model": model,
                "org": org,
                "region": region,
                "size_bin": size_bin,
                "family": family,
                "by": by,
                "interval": interval,
                "series": series,
                "source": source,
                "since": since,
                "until": until,
                "untracked": untracked,
                "as_of": as_of,
                "limit": limit,
            },
            models,
        )

    def ram(
        self,
        *models: str,
        model: Texts | None = None,
        org: Texts | None = None,
        region: Region | Iterable[Region] | None = None,
        size_bin: SizeBin | Iterable[SizeBin] | None = None,
        baseline: str | None = None,
        tracked: bool | None = None,
        min_age: float | None = None,
        max_age: float | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Rolling RAM of every model up to a year old, the highest first.

        Args:
            model: Model ids, as `org/name`
            org: Publishing organisations
            region: Headquarters of the organisation; unreviewed = not known
            size_bin: Size bins by total parameters; unknown = no size bin
            baseline: live, live_fixed, live_cutoff, or a frozen baseline
            tracked: Tracked models only (true), or others (false)
            min_age: Minimum age, days
            max_age: Maximum age, days
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "ram",
            {
                "model": model,
                "org": org,
                "region": region,
                "size_bin": size_bin,
                "baseline": baseline,
                "tracked": tracked,
                "min_age": min_age,
                "max_age": max_age,
                "as_of": as_of,
                "limit": limit,
            },
            models,
        )

    def ram_curves(
        self,
        *models: str,
        model: Texts | None = None,
        org: Texts | None = None,
        region: Region | Iterable[Region] | None = None,
        size_bin: SizeBin | Iterable[SizeBin] | None = None,
        baseline: str | None = None,
        tracked: bool | None = None,
        age_days: Integers | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """RAM by age in whole days.

        Args:
            model: Model ids, as `org/name`
            org: Publishing organisations
            region: Headquarters of the organisation; unreviewed = not known
            size_bin: Size bins by total parameters; unknown = no size bin
            baseline: live, live_fixed, live_cutoff, or a frozen baseline
            tracked: Tracked models only (true), or others (false)
            age_days: Whole days since release; default: all
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "ram/curves",
            {
                "model": model,
                "org": org,
                "region": region,
                "size_bin": size_bin,
                "baseline": baseline,
                "tracked": tracked,
                "age_days": age_days,
                "as_of": as_of,
                "limit": limit,
            },
            models,
        )

    def ram_milestones(
        self,
        *models: str,
        model: Texts | None = None,
        org: Texts | None = None,
        region: Region | Iterable[Region] | None = None,
        size_bin: SizeBin | Iterable[SizeBin] | None = None,
        baseline: str | None = None,
        tracked: bool | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """RAM at 7, 14, 30, 60, 90, 180 and 365 days.

        Args:
            model: Model ids, as `org/name`
            org: Publishing organisations
            region: Headquarters of the organisation; unreviewed = not known
            size_bin: Size bins by total parameters; unknown = no size bin
            baseline: live, live_fixed, live_cutoff, or a frozen baseline
            tracked: Tracked models only (true), or others (false)
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "ram/milestones",
            {
                "model": model,
                "org": org,
                "region": region,
                "size_bin": size_bin,
                "baseline": baseline,
                "tracked": tracked,
                "as_of": as_of,
                "limit": limit,
            },
            models,
        )

    def baselines(
        self,
        *,
        baseline: Texts | None = None,
        size_bin: BaselinesSizeBin | Iterable[BaselinesSizeBin] | None = None,
        age_days: Integers | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Baselines by size bin and age: the downloads at which RAM is 1.0.

        Args:
            baseline: live, live_fixed, live_cutoff, or frozen baselines
            size_bin: Size bins
            age_days: Whole days since release; default: all
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "baselines",
            {
                "baseline": baseline,
                "size_bin": size_bin,
                "age_days": age_days,
                "as_of": as_of,
                "limit": limit,
            },
        )

    def breakouts(
        self,
        *models: str,
        model: Texts | None = None,
        org: Texts | None = None,
        region: Region | Iterable[Region] | None = None,
        size_bin: SizeBin | Iterable[SizeBin] | None = None,
        baseline: str | None = None,
        lasting: bool | None = None,
        status: Status | Iterable[Status] | None = None,
        since: Day | None = None,
        until: Day | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Breakouts: young models whose RAM reached 1.0 for the first time, the latest first.

        Args:
            model: Model ids, as `org/name`
            org: Publishing organisations
            region: Headquarters of the organisation; unreviewed = not known
            size_bin: Size bins by total parameters; unknown = no size bin
            baseline: live, live_fixed, live_cutoff, or a frozen baseline
            lasting: Ongoing only (true), or ended only (false)
            status: confirmed, burst; default: both
            since: RAM reached 1.0 on this day or later
            until: RAM reached 1.0 on this day or earlier
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "breakouts",
            {
                "model": model,
                "org": org,
                "region": region,
                "size_bin": size_bin,
                "baseline": baseline,
                "lasting": lasting,
                "status": status,
                "since": since,
                "until": until,
                "as_of": as_of,
                "limit": limit,
            },
            models,
        )

    def ram_missing(
        self,
        *models: str,
        model: Texts | None = None,
        org: Texts | None = None,
        region: Region | Iterable[Region] | None = None,
        size_bin: SizeBin | Iterable[SizeBin] | None = None,
        baseline: str | None = None,
        tracked: bool | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Models without RAM, and why.

        As of the latest observations, for every `as_of`.

        Args:
            model: Model ids, as `org/name`
            org: Publishing organisations
            region: Headquarters of the organisation; unreviewed = not known
            size_bin: Size bins by total parameters; unknown = no size bin
            baseline: live, live_fixed, live_cutoff, or a frozen baseline
            tracked: Tracked models only (true), or others (false)
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "ram/missing",
            {
                "model": model,
                "org": org,
                "region": region,
                "size_bin": size_bin,
                "baseline": baseline,
                "tracked": tracked,
                "as_of": as_of,
                "limit": limit,
            },
            models,
        )

    def baseline_peers(
        self,
        *,
        size_bin: BaselinesSizeBin | Iterable[BaselinesSizeBin] | None = None,
        age_days: Integers | None = None,
        baseline: Baseline | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """The ten models behind a baseline at an age, the one with the most downloads first.

        Fewer than ten are not enough for a baseline. `live_cutoff` is the greatest 10th so far.

        Args:
            size_bin: Size bins
            age_days: Whole days since release; default: all
            baseline: live, live_fixed, or live_cutoff at milestones; a frozen one has no peers
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "baselines/peers",
            {
                "size_bin": size_bin,
                "age_days": age_days,
                "baseline": baseline,
                "as_of": as_of,
                "limit": limit,
            },
        )

    def inference_share(
        self,
        *,
        interval: Interval | None = None,
        since: Day | None = None,
        until: Day | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Share of open models in all classified tokens, by day or month.

        Args:
            interval: One row for each
            since: First day
            until: Last day
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "inference/share",
            {"interval": interval, "since": since, "until": until, "as_of": as_of, "limit": limit},
        )

    def inference_tokens(
        self,
        *models: str,
        interval: Interval | None = None,
        since: Day | None = None,
        until: Day | None = None,
        by: InferenceTokensBy | None = None,
        model: Texts | None = None,
        top: int | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Tokens of open models by day or month, of each model, organisation or region.

        Args:
            interval: One row for each
            since: First day
            until: Last day
            by: One series for each
            model: Series of these model ids; shares and ranks remain those among all
            top: Largest of each period; 0 = all
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "inference/tokens",
            {
                "interval": interval,
                "since": since,
                "until": until,
                "by": by,
                "model": model,
                "top": top,
                "as_of": as_of,
                "limit": limit,
            },
            models,
        )

    def derivatives(
        self,
        *,
        org: Texts | None = None,
        region: Region | Iterable[Region] | None = None,
        relation: Relation | Iterable[Relation] | None = None,
        since: Day | None = None,
        until: Day | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Derivatives by month of creation, organisation of the base model, and relation.

        As of the latest survey of the Hub, for every `as_of`.

        Args:
            org: Organisations of the base models
            region: Headquarters of the organisation; unreviewed = not known
            relation: Relations to the base model; unknown = the Hub has none
            since: Months that begin on this day or later
            until: Months that begin on this day or earlier
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "derivatives",
            {
                "org": org,
                "region": region,
                "relation": relation,
                "since": since,
                "until": until,
                "as_of": as_of,
                "limit": limit,
            },
        )

    def families(
        self,
        *models: str,
        model: Texts | None = None,
        org: Texts | None = None,
        region: Region | Iterable[Region] | None = None,
        size_bin: SizeBin | Iterable[SizeBin] | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Downloads of each tracked model and of its derivatives, the largest family first.

        As of the latest survey of the Hub, for every `as_of`.

        Args:
            model: Model ids, as `org/name`
            org: Publishing organisations
            region: Headquarters of the organisation; unreviewed = not known
            size_bin: Size bins by total parameters; unknown = no size bin
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "families",
            {
                "model": model,
                "org": org,
                "region": region,
                "size_bin": size_bin,
                "as_of": as_of,
                "limit": limit,
            },
            models,
        )

    def leaderboards(
        self,
        *models: str,
        source: LeaderboardsSource | Iterable[LeaderboardsSource] | None = None,
        board: Texts | None = None,
        index_version: Texts | None = None,
        model: Texts | None = None,
        org: Texts | None = None,
        region: Region | Iterable[Region] | None = None,
        open: bool | None = None,
        best: bool | None = None,
        since: Day | None = None,
        until: Day | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Ratings as published, the latest leaderboard first, with the model id of each name.

        Args:
            source: Publishers of leaderboards
            board: text, text_style_control, intelligence_index and so on
            index_version: Versions of the rating method
            model: Model ids, as `org/name`
            org: Organisations of the Hub
            region: Headquarters of the organisation; unreviewed = not known
            open: Open models only (true), or closed only (false)
            best: Only the best open model of each region
            since: Published on this day or later
            until: Published on this day or earlier
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "leaderboards",
            {
                "source": source,
                "board": board,
                "index_version": index_version,
                "model": model,
                "org": org,
                "region": region,
                "open": open,
                "best": best,
                "since": since,
                "until": until,
                "as_of": as_of,
                "limit": limit,
            },
            models,
        )

    def sources(self, *, as_of: Timestamp | None = None, limit: int | None = None) -> Result:
        """All sources with licence and citation.

        Args:
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request("sources", {"as_of": as_of, "limit": limit})

    def organisations(
        self,
        *,
        org: Texts | None = None,
        region: Region | Iterable[Region] | None = None,
        search: str | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Organisations by region or part of the name, with their number of models.

        Args:
            org: Organisations of the Hub
            region: Headquarters of the organisation; unreviewed = not known
            search: Part of the organisation's name, ignoring case
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "organisations",
            {"org": org, "region": region, "search": search, "as_of": as_of, "limit": limit},
        )

    def scrapes(
        self,
        *,
        source: Source | Iterable[Source] | None = None,
        since: Day | None = None,
        until: Day | None = None,
        as_of: Timestamp | None = None,
        limit: int | None = None,
    ) -> Result:
        """Scrapes of download counters, the latest first.

        Args:
            source: Sources of the counters
            since: On this day or later
            until: On this day or earlier
            as_of: Return data as of this timestamp, or the end of this UTC day; default: the
                latest. With the `as_of` of a response, the same figures are returned again
            limit: Maximum number of rows; default: all
        """
        return self._request(
            "scrapes",
            {"source": source, "since": since, "until": until, "as_of": as_of, "limit": limit},
        )

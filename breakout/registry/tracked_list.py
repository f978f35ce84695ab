"""The five CSV files of the public tracked-models list, as typed rows.

The list (github.com/Interconnects-AI/tracked-models) promises stable file and column names, and
adds columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from breakout.registry import fields
from breakout.registry.fields import Region
from breakout.registry.table import FieldError, RegistryFileError, RowError, Table, read_table

MODELS_FILE = "models.csv"
EXTRA_MODELS_FILE = "extra_models.csv"
REGIONS_FILE = "organization_regions.csv"
PARAMETERS_FILE = "model_parameters.csv"
CORRECTIONS_FILE = "release_date_corrections.csv"

FILES = (MODELS_FILE, EXTRA_MODELS_FILE, REGIONS_FILE, PARAMETERS_FILE, CORRECTIONS_FILE)


@dataclass(frozen=True)
class ListedModel:
    """A tracked model; each checkpoint is a separate model."""

    model_id: str
    org: str


@dataclass(frozen=True)
class OrganizationRegion:
    """Headquarters of a publishing organisation."""

    org: str
    region: Region
    notes: str


@dataclass(frozen=True)
class Parameters:
    """Reviewed parameter counts of a model, decimal billions."""

    model_id: str
    total_params_b: float
    active_params_b: float | None
    is_moe: bool | None
    notes: str


@dataclass(frozen=True)
class Correction:
    """A release date that differs from the creation date of the repository."""

    model_id: str
    hf_created_at: date
    released_at: date
    notes: str


@dataclass(frozen=True)
class TrackedList:
    """The complete list, by id."""

    models: Mapping[str, ListedModel]
    """Tracked models by id: models.csv and extra_models.csv together."""
    regions: Mapping[str, OrganizationRegion]
    """By organisation; a missing organisation is not reviewed."""
    parameters: Mapping[str, Parameters]
    """By model id."""
    corrections: Mapping[str, Correction]
    """By model id."""
    errors: tuple[RowError, ...]
    """Rows that were skipped."""

    @property
    def organisations(self) -> tuple[str, ...]:
        """Organisations with at least one tracked model, alphabetically."""
        return tuple(sorted({model.org for model in self.models.values()}))


def read_tracked_list(contents: Mapping[str, bytes]) -> TrackedList:
    """Read the list from the contents of its `FILES`, by file name.

    Raises `RegistryFileError` if a file lacks a column or models.csv has no valid row.
    """
    primary = _read_models(MODELS_FILE, contents)
    extra = _read_models(EXTRA_MODELS_FILE, contents)
    regions = read_table(
        REGIONS_FILE,
        contents[REGIONS_FILE],
        ("hf_org", "region", "notes"),
        _region,
        key=("hf_org",),
        optional=("notes",),
    )
    parameters = read_table(
        PARAMETERS_FILE,
        contents[PARAMETERS_FILE],
        ("model_id", "total_params_b", "active_params_b", "is_moe", "notes"),
        _parameters,
        key=("model_id",),
        optional=("is_moe", "notes"),
    )
    corrections = read_table(
        CORRECTIONS_FILE,
        contents[CORRECTIONS_FILE],
        ("model_id", "hf_created_at", "actual_release_date", "notes"),
        _correction,
        key=("model_id",),
        optional=("notes",),
    )
    if not primary.rows:
        raise RegistryFileError(f"{MODELS_FILE}: has no valid row")
    return TrackedList(
        models={row.model_id: row for row in (*extra.rows, *primary.rows)},
        regions={row.org: row for row in regions.rows},
        parameters={row.model_id: row for row in parameters.rows},
        corrections={row.model_id: row for row in corrections.rows},
        errors=(
            *primary.errors,
            *extra.errors,
            *regions.errors,
            *parameters.errors,
            *corrections.errors,
        ),
    )


def _read_models(file: str, contents: Mapping[str, bytes]) -> Table[ListedModel]:
    return read_table(file, contents[file], ("org", "model", "modelId"), _model, key=("modelId",))


def _model(row: Mapping[str, str]) -> ListedModel:
    org = fields.organisation("org", row["org"])
    model_id = fields.model_id("modelId", row["modelId"])
    if model_id != f"{org}/{row['model']}":
        raise FieldError("modelId", f"must be {org}/{row['model']}, got {model_id!r}")
    return ListedModel(model_id, org)


def _region(row: Mapping[str, str]) -> OrganizationRegion:
    return OrganizationRegion(
        fields.organisation("hf_org", row["hf_org"]),
        fields.region("region", row["region"]),
        row["notes"],
    )


def _parameters(row: Mapping[str, str]) -> Parameters:
    total = fields.positive_decimal("total_params_b", row["total_params_b"])
    active = None
    if row["active_params_b"]:
        active = fields.positive_decimal("active_params_b", row["active_params_b"])
        if active > total:
            raise FieldError("active_params_b", f"{active:g} is above total_params_b {total:g}")
    return Parameters(
        fields.model_id("model_id", row["model_id"]),
        total,
        active,
        fields.tri_state("is_moe", row["is_moe"]),
        row["notes"],
    )


def _correction(row: Mapping[str, str]) -> Correction:
    return Correction(
        fields.model_id("model_id", row["model_id"]),
        fields.iso_date("hf_created_at", row["hf_created_at"]),
        fields.iso_date("actual_release_date", row["actual_release_date"]),
        row["notes"],
    )

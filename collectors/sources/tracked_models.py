"""Reads the public tracked-models list over HTTP."""

import httpx
import structlog

from breakout.registry.table import RegistryFileError
from breakout.registry.tracked_list import (
    EXTRA_MODELS_FILE,
    FILES,
    MODELS_FILE,
    TrackedList,
    read_tracked_list,
)
from breakout.settings import Settings
from collectors.http.client import DEFAULT_PATIENCE, Patience, Source, SourceRefusedError

log = structlog.get_logger(__name__)


def tracked_models_source(settings: Settings, *, patience: Patience = DEFAULT_PATIENCE) -> Source:
    """Return the list's source."""
    return Source(
        "tracked-models", settings.tracked_models_url, "TRACKED_MODELS_URL", patience=patience
    )


async def fetch_tracked_list(source: Source) -> TrackedList:
    """Read all files of the list; each row that had to be left out is logged.

    A list that could be read in part only is not used: half the corrections would be wrong
    release dates. Raises `SourceError`, or `RegistryFileError` for a file that is not of the
    list's form.
    """
    contents = {file: await _fetch(source, file) for file in FILES}
    try:
        tracked_list = read_tracked_list(contents)
    except RegistryFileError as error:
        raise RegistryFileError(f"{error}: check {source.setting}") from None
    for problem in tracked_list.errors:
        log.warning(
            "row of the tracked-models list left out",
            file=problem.file,
            line=problem.line,
            field=problem.field,
            problem=problem.problem,
        )
    return tracked_list


async def _fetch(source: Source, file: str) -> bytes:
    if file in {MODELS_FILE, EXTRA_MODELS_FILE}:
        return await source.content(f"/{file}")
    try:
        return await source.content(f"/metadata/{file}")
    except SourceRefusedError as error:
        if error.status != httpx.codes.NOT_FOUND:
            raise
    # A plain copy of the list has all files side by side.
    return await source.content(f"/{file}")


async def read_list(settings: Settings, patience: Patience) -> TrackedList:
    """Read the list as the settings say where it is; raises as `fetch_tracked_list`."""
    async with tracked_models_source(settings, patience=patience) as source:
        return await fetch_tracked_list(source)

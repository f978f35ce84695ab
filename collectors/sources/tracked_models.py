"""Fetches the public tracked-models list over HTTP."""

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
from collectors.http.client import DEFAULT_REQUEST_POLICY, RequestPolicy, Source
from collectors.http.errors import SourceRefusedError

log = structlog.get_logger(__name__)


async def fetch_tracked_list(
    settings: Settings, request_policy: RequestPolicy = DEFAULT_REQUEST_POLICY
) -> TrackedList:
    """Fetch and read all files of the list; rows that are left out are logged.

    A list without one of its files is not used: a part of the corrections would mean wrong release
    dates. Raises `SourceError`, or `RegistryFileError` for a file in another format.
    """
    async with Source(
        "tracked-models",
        settings.tracked_models_url,
        "TRACKED_MODELS_URL",
        request_policy=request_policy,
    ) as source:
        contents = {file: await _fetch(source, file) for file in FILES}
    try:
        tracked_list = read_tracked_list(contents)
    except RegistryFileError as error:
        raise RegistryFileError(f"{error}: check {source.setting}") from None
    for problem in tracked_list.errors:
        log.warning(
            "invalid row of the tracked-models list ignored",
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
    # A plain copy of the list has all files in one folder.
    return await source.content(f"/{file}")

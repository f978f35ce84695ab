"""All jobs, by the name of their source."""

from collections.abc import Mapping

from breakout.settings import Settings
from collectors.scheduling.job import Job
from collectors.sources.arena import ArenaJob
from collectors.sources.artificial_analysis import ArtificialAnalysisJob
from collectors.sources.derivatives import DerivativesJob
from collectors.sources.huggingface import HuggingFaceJob
from collectors.sources.modelscope import ModelScopeJob
from collectors.sources.openrouter import OpenRouterJob
from collectors.sources.registry import RegistryJob

JOBS: Mapping[str, type[Job]] = {
    job.name: job
    for job in (
        RegistryJob,
        HuggingFaceJob,
        OpenRouterJob,
        DerivativesJob,
        ArenaJob,
        ArtificialAnalysisJob,
        ModelScopeJob,
    )
}


def is_set(settings: Settings, variable: str) -> bool:
    """Return whether the setting of a variable has a value."""
    fields = type(settings).model_fields
    return any(
        field.alias == variable and getattr(settings, name) is not None
        for name, field in fields.items()
    )

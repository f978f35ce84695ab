"""Every collector by the name of its source."""

from collections.abc import Mapping

from collectors.arena import ArenaJob
from collectors.artificial_analysis import ArtificialAnalysisJob
from collectors.derivatives import DerivativesJob
from collectors.huggingface import HuggingFaceJob
from collectors.job import Job
from collectors.modelscope import ModelScopeJob
from collectors.openrouter import OpenRouterJob
from collectors.registry import RegistryJob

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

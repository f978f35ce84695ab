"""Every collector by the name of its source."""

from collections.abc import Mapping

from collectors.derivatives import DerivativesJob
from collectors.huggingface import HuggingFaceJob
from collectors.job import Job
from collectors.openrouter import OpenRouterJob
from collectors.registry import RegistryJob

JOBS: Mapping[str, type[Job]] = {
    job.name: job for job in (RegistryJob, HuggingFaceJob, OpenRouterJob, DerivativesJob)
}

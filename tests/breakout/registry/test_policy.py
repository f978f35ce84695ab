"""Which models of the listed organisations are observed."""

import pytest

from breakout.registry.policy import (
    ALLOWED_PIPELINE_TAGS,
    CONDITIONAL_PIPELINE_TAGS,
    REJECTED_PIPELINE_TAGS,
    rejection,
)


def test_the_policy_rejects_nineteen_tags_and_allows_none_of_them() -> None:
    assert len(REJECTED_PIPELINE_TAGS) == 19
    assert not REJECTED_PIPELINE_TAGS & (ALLOWED_PIPELINE_TAGS | CONDITIONAL_PIPELINE_TAGS)


@pytest.mark.parametrize(
    ("model_id", "tag"),
    [
        ("acorn/Acorn-7B", "text-generation"),
        ("acorn/Acorn-VL-7B", "image-text-to-text"),
        ("acorn/Acorn-Omni-7B", "any-to-any"),
        ("acorn/Acorn-7B-FP8", "text-generation"),
        ("safety-lab/Acorn-7B", "text-generation"),
    ],
)
def test_what_passes(model_id: str, tag: str) -> None:
    assert rejection(model_id, tag) is None


@pytest.mark.parametrize(
    ("model_id", "tag", "why"),
    [
        ("acorn/Acorn-Guard-7B", "text-generation", "'Guard'"),
        ("acorn/Acorn-Embedding-7B", "text-generation", "'Embedding'"),
        ("acorn/Acorn-Reranker", "text-generation", "'Reranker'"),
        ("acorn/acorn-tokenizer", "text-generation", "'tokenizer'"),
        ("acorn/Acorn-7B-GGUF", "text-generation", "'GGUF'"),
        ("acorn/Acorn-7B-4bit-AWQ", "text-generation", "'AWQ'"),
        ("acorn/Acorn-SAE-7B", "text-generation", "'SAE'"),
        ("acorn/dummy-7B", "text-generation", "'dummy'"),
        ("acorn/Acorn-7B", "text-classification", "text-classification is rejected"),
        ("acorn/Acorn-7B", "text-to-video", "text-to-video is not allowed"),
        ("acorn/Acorn-7B", None, "(missing) is not allowed"),
    ],
)
def test_what_does_not(model_id: str, tag: str | None, why: str) -> None:
    assert why in (rejection(model_id, tag) or "")

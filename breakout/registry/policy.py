"""The policy that decides which models of the listed organisations are language models.

The rules are those of the tracked-models list (`policy/model_policy.yml`, global part), whose
additions are also reviewed by people. A model that passes is observed from its first day, but is
untracked until the list contains it.
"""

import re

ALLOWED_PIPELINE_TAGS = frozenset({"text-generation", "image-text-to-text"})

CONDITIONAL_PIPELINE_TAGS = frozenset({"any-to-any"})
"""The list decides these case by case; here they pass, since they include language models."""

REJECTED_PIPELINE_TAGS = frozenset(
    {
        "audio-classification",
        "audio-text-to-text",
        "audio-to-audio",
        "automatic-speech-recognition",
        "depth-estimation",
        "feature-extraction",
        "image-classification",
        "image-feature-extraction",
        "image-segmentation",
        "image-to-3d",
        "image-to-image",
        "image-to-video",
        "object-detection",
        "reinforcement-learning",
        "sentence-similarity",
        "text-classification",
        "text-ranking",
        "time-series-forecasting",
        "video-classification",
    }
)

REJECTED_NAMES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(guard|guardian|shield|safeguard|safety)",
        r"(classifier|detector|reranker|reward|embedding|embed)",
        r"(tokenizer|adapter|lora|checkpoint|intermediate|proxy)",
        r"(gguf|mlx|onnx|openvino|gptq|awq|bnb|bitsandbytes|prequantized)",
        r"(sae|probe|interpretability)",
        r"(test|dummy|warmup)",
    )
)


def rejection(model_id: str, pipeline_tag: str | None) -> str | None:
    """Return why the policy rejects a model; None if it passes.

    Rules on names apply to the part after the organisation. A model without a pipeline tag, or with
    an unknown one, is rejected.
    """
    name = model_id.rpartition("/")[2]
    for pattern in REJECTED_NAMES:
        if match := pattern.search(name):
            return f"its name contains {match[0]!r}"
    if pipeline_tag in REJECTED_PIPELINE_TAGS:
        return f"pipeline tag {pipeline_tag} is rejected"
    if pipeline_tag not in ALLOWED_PIPELINE_TAGS | CONDITIONAL_PIPELINE_TAGS:
        return f"pipeline tag {pipeline_tag or '(missing)'} is not allowed"
    return None

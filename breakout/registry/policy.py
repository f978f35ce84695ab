"""Which models of the listed organisations count as language models, by the list's policy.

The rules are those of the tracked-models list (`policy/model_policy.yml`, global part). The
list's own additions are reviewed by people besides; what this policy lets pass is observed
from its first day but stays untracked until the list has it.
"""

import re

ALLOWED_PIPELINE_TAGS = frozenset({"text-generation", "image-text-to-text"})

CONDITIONAL_PIPELINE_TAGS = frozenset({"any-to-any"})
"""The list takes these case by case; here they pass, being language models among others."""

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
    """Return why a model is not observed, or null when the policy lets it pass.

    The name is what follows the organisation. A model without a pipeline tag, or with one the
    policy does not know, does not pass.
    """
    name = model_id.rpartition("/")[2]
    for pattern in REJECTED_NAMES:
        if match := pattern.search(name):
            return f"its name holds {match[0]!r}"
    if pipeline_tag in REJECTED_PIPELINE_TAGS:
        return f"pipeline tag {pipeline_tag} is rejected"
    if pipeline_tag not in ALLOWED_PIPELINE_TAGS | CONDITIONAL_PIPELINE_TAGS:
        return f"pipeline tag {pipeline_tag or 'missing'} is not among the allowed"
    return None

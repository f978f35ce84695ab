"""Size bins and the order in which a size is resolved."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakout.core.sizes import SIZE_BINS, resolve_size, size_bin, size_in_name


@pytest.mark.parametrize(
    ("total_params_b", "label"),
    [
        (None, None),
        (0, None),
        (0.0001, "<1B"),
        (0.999, "<1B"),
        (1, "1-5B"),
        (4.999, "1-5B"),
        (5, "7-9B"),
        (5.6, "7-9B"),
        (9.999, "7-9B"),
        (10, "10-50B"),
        (49.999, "10-50B"),
        (50, "50-100B"),
        (99.999, "50-100B"),
        (100, "100-250B"),
        (249.999, "100-250B"),
        (250, "250B+"),
        (1000, "250B+"),
        (math.inf, "250B+"),
    ],
)
def test_edges(total_params_b: float | None, label: str | None) -> None:
    assert size_bin(total_params_b) == label


@pytest.mark.parametrize("wrong", [-1.0, math.nan])
def test_a_size_that_is_none_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="total_params_b must be positive"):
        size_bin(wrong)


@given(st.floats(min_value=1e-6, max_value=1e6), st.floats(min_value=1e-6, max_value=1e6))
def test_a_larger_size_never_has_a_smaller_bin(one: float, other: float) -> None:
    small, large = sorted((one, other))
    first, second = size_bin(small), size_bin(large)
    assert first is not None
    assert second is not None
    assert SIZE_BINS.index(first) <= SIZE_BINS.index(second)


@pytest.mark.parametrize(
    ("model_id", "size_b", "label"),
    [
        ("google/gemma-2b", 2.0, "1-5B"),
        ("allenai/OLMo-2-0425-1B", 1.0, "1-5B"),
        ("Qwen/Qwen3-0.6B", 0.6, "<1B"),
        ("Qwen/Qwen2.5-7B-Instruct", 7.0, "7-9B"),
        ("openai/gpt-oss-20b", 20.0, "10-50B"),
        ("openai/gpt-oss-120b", 120.0, "100-250B"),
        ("Qwen/Qwen3-30B-A3B", 30.0, "10-50B"),
        ("Qwen/Qwen3-235B-A22B", 235.0, "100-250B"),
        ("Qwen/Qwen3.5-397B-A17B", 397.0, "250B+"),
        ("meta-llama/Llama-3.1-8B-Instruct", 8.0, "7-9B"),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 17.0, "10-50B"),
        ("google/gemma-4-26B-A4B-it", 26.0, "10-50B"),
        ("acorn/7B-base", 7.0, "7-9B"),
        ("mistralai/Mixtral-8x7B-v0.1", None, None),
        ("google/gemma-3-270m", None, None),
        ("google/gemma-3n-E4B-it", None, None),
        ("moonshotai/Kimi-K3", None, None),
        ("tencent/Hunyuan-A13B-Instruct", None, None),
        ("deepseek-7B-ai/DeepSeek-R1", None, None),
    ],
)
def test_size_by_name(model_id: str, size_b: float | None, label: str | None) -> None:
    assert size_in_name(model_id) == size_b
    resolved = resolve_size(model_id)
    assert (resolved.size_bin if resolved else None) == label
    assert (resolved.source if resolved else "name") == "name"


@pytest.mark.parametrize(
    ("model_id", "manual_b", "label"),
    [
        ("microsoft/Phi-4-multimodal-instruct", 5.6, "7-9B"),
        ("zai-org/GLM-4.6V-Flash", 10, "10-50B"),
        ("google/gemma-4-26B-A4B-it", 25.2, "10-50B"),
        ("mistralai/Mixtral-8x7B-v0.1", 46.7, "10-50B"),
        ("tencent/Hunyuan-A13B-Instruct", 80, "50-100B"),
        ("MiniMaxAI/MiniMax-M2", 230, "100-250B"),
        ("deepseek-ai/DeepSeek-R1", 671, "250B+"),
    ],
)
def test_the_manual_table_goes_before_the_name(model_id: str, manual_b: float, label: str) -> None:
    size = resolve_size(model_id, manual_b=manual_b, safetensors_total=685_000_000_000)
    assert size is not None
    assert (size.total_params_b, size.source, size.size_bin) == (manual_b, "manual", label)


def test_order_of_resolution() -> None:
    model_id = "meta-llama/Llama-4-Scout-17B-16E-Instruct"
    sources = {"override_b": 108.6, "manual_b": 109.0, "safetensors_total": 108_641_793_536}
    found = []
    for name in ("", *sources):
        sources.pop(name, None)
        size = resolve_size(model_id, **sources)  # type: ignore[arg-type]
        assert size is not None
        found.append((size.source, size.total_params_b, size.size_bin))
    assert found == [
        ("override", 108.6, "100-250B"),
        ("manual", 109.0, "100-250B"),
        ("safetensors", 108.641793536, "100-250B"),
        ("name", 17.0, "10-50B"),
    ]


def test_zero_is_unknown_and_the_next_source_is_asked() -> None:
    size = resolve_size("acorn/tiny-3B", manual_b=0.0, safetensors_total=0)
    assert size is not None
    assert (size.total_params_b, size.source) == (3.0, "name")

"""Size bins, and how witnesses settle a size."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakout.core.sizes import (
    SIZE_BINS,
    Size,
    Witnesses,
    agreed_size,
    resolve_size,
    size_bin,
    size_in_name,
)


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
    resolved = agreed_size(Witnesses(name=size_in_name(model_id)))
    assert (resolved.size_bin if resolved else None) == label
    assert (resolved.source if resolved else "name") == "name"


@pytest.mark.parametrize(
    ("manual_b", "label"),
    [(5.6, "7-9B"), (10, "10-50B"), (46.7, "10-50B"), (80, "50-100B"), (671, "250B+")],
)
def test_lone_witness_is_believed(manual_b: float, label: str) -> None:
    for source, witnesses in (
        ("manual", Witnesses(manual=manual_b)),
        ("safetensors", Witnesses(parameters=manual_b)),
        ("safetensors", Witnesses(total=manual_b)),
        ("name", Witnesses(name=manual_b)),
    ):
        size = agreed_size(witnesses)
        assert size is not None
        assert (size.total_params_b, size.source, size.size_bin) == (manual_b, source, label)


@pytest.mark.parametrize(
    ("witnesses", "total_params_b"),
    [
        # The manual table states it without 14 billion of multi-token prediction.
        (Witnesses(manual=671, parameters=685, total=685), 671),
        # The total contradicts its own parameters.
        (Witnesses(parameters=7.615616512, total=0.000333312, name=7), 7.615616512),
        (Witnesses(parameters=0.000333312, total=7.615616512, name=7), 7.615616512),
        # The name states active parameters.
        (Witnesses(manual=109, parameters=108.6, total=108.6, name=17), 109),
        # Packed 4-bit weights count as one.
        (Witnesses(manual=117, parameters=63, total=63, name=120), 117),
        (Witnesses(parameters=12, name=8), 12),
    ],
)
def test_agreeing_witnesses_settle_the_size(witnesses: Witnesses, total_params_b: float) -> None:
    size = agreed_size(witnesses)
    assert size is not None
    assert size.total_params_b == total_params_b


@pytest.mark.parametrize(
    "witnesses",
    [
        Witnesses(parameters=89, total=89, name=314),
        Witnesses(parameters=0.000333312, total=0.000333312, name=7),
        Witnesses(parameters=7.6, total=0.000333312),
        Witnesses(manual=70, total=7),
        Witnesses(manual=70, parameters=7, total=7, name=7),
        Witnesses(parameters=12.01, name=8),
    ],
)
def test_witnesses_that_disagree_settle_nothing(witnesses: Witnesses) -> None:
    assert agreed_size(witnesses) is None
    assert resolve_size(witnesses) is None


def test_override_goes_before_the_settled_size_and_that_before_witnesses() -> None:
    witnesses, settled = Witnesses(total=89, name=314), Size(314, "name")
    assert resolve_size(witnesses, override_b=300, settled=settled) == Size(300, "override")
    assert resolve_size(witnesses, settled=settled) == settled
    assert resolve_size(witnesses) is None


def test_zero_is_unknown() -> None:
    size = agreed_size(Witnesses(manual=0.0, total=0, name=3))
    assert size == Size(3, "name")
    assert not Witnesses(manual=0.0).stated

"""Names nearest to an unknown one."""

import pytest

from breakout.nearest import did_you_mean, nearest, unknown

MODELS = ["Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-72B", "meta-llama/Llama-3.1-8B", "google/gemma-2b"]
DIMENSIONS = ["model", "org", "region", "size_bin", "family"]


@pytest.mark.parametrize(
    ("name", "known", "first"),
    [
        ("qwen/qwen2.5-7b", MODELS, "Qwen/Qwen2.5-7B"),
        ("Qwen/Qwen2.5-7", MODELS, "Qwen/Qwen2.5-7B"),
        ("Qwen2.5-7B", MODELS, "Qwen/Qwen2.5-7B"),
        ("google/Llama-3.1-8B", MODELS, "meta-llama/Llama-3.1-8B"),
        ("meta-llama/Lama-3.1-8B", MODELS, "meta-llama/Llama-3.1-8B"),
        ("organisation", DIMENSIONS, "org"),
        ("size", DIMENSIONS, "size_bin"),
        ("USA", ["us", "china", "eu"], "us"),
        ("limti", ["limit", "cursor"], "limit"),
        ("group_by_org", ["org", "by"], "org"),
    ],
)
def test_nearest_name_is_first(name: str, known: list[str], first: str) -> None:
    assert nearest(name, known)[0] == first


def test_name_that_differs_in_case_alone_excludes_others() -> None:
    assert nearest("QWEN/qwen2.5-7B", MODELS) == ["Qwen/Qwen2.5-7B"]


def test_unlike_names_are_left_out() -> None:
    assert nearest("zzzz", MODELS) == []
    assert nearest("", MODELS) == []


@pytest.mark.parametrize(
    ("names", "question"),
    [
        ([], ""),
        (["a"], 'Did you mean "a"?'),
        (["a", "b"], 'Did you mean "a" or "b"?'),
        (["a", "b", "c"], 'Did you mean "a", "b" or "c"?'),
    ],
)
def test_question_offers_all_names(names: list[str], question: str) -> None:
    assert did_you_mean(names) == question


def test_message_lists_choices() -> None:
    assert unknown("size bin", "8B", ["7-9B"], ["<1B", "7-9B"]) == (
        'Unknown size bin "8B". Did you mean "7-9B"? Choose one of: <1B, 7-9B'
    )
    assert unknown("model", "a/b", []) == 'Unknown model "a/b".'

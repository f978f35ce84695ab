"""Which licences of the Arena's leaderboards are of open models."""

import pytest

from collectors.sources.arena_licences import is_open


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "Modified MIT",
        "Apache 2.0",
        "Apache-2.0",
        "Apache License 2.0",
        "Apache2.0",
        "Llama3.1",
        "CC0-1.0",
        "GPLv3",
        "CC-BY-NC-4.0",
        "CC BY-SA 3.0",
        "Llama 3.1 Community",
        "Llama-3.3",
        "Llama 4",
        "Llama 2 Community License Agreement",
        "Gemma license",
        "Qianwen LICENSE",
        "Qwen",
        "DeepSeek License",
        "NVIDIA Open Model",
        "Nvidia",
        "Jamba Open",
        "Mistral Research",
        "MRL",
        "Yi License",
        "DBRX LICENSE",
        "AI2 ImpACT Low-risk",
        "Falcon-180B TII License",
        "Non-commercial",
    ],
)
def test_known_licence_of_open_weights_is_open(licence: str) -> None:
    assert is_open(licence) is True


@pytest.mark.parametrize(
    "licence",
    [
        "Proprietary",
        " proprietary ",
        "Propretary",
        "Propietary",
        "Proprietery",
        "Proprietary License",
        "PROPRIETARY (API)",
        "Closed",
        "closed-source",
    ],
)
def test_proprietary_licence_is_closed_however_it_is_spelled(licence: str) -> None:
    assert is_open(licence) is False


@pytest.mark.parametrize(
    "licence", ["N/A", "-", "?", "Other", "TBD", "unknown", "Commercial", "no"]
)
def test_licence_that_nobody_knows_is_unknown(licence: str) -> None:
    assert is_open(licence) is None

"""A small tracked-models list."""

from breakout.registry.tracked_list import FILES, TrackedList, read_tracked_list

MODELS = """org,model,modelId
acorn,Acorn-7B,acorn/Acorn-7B
acorn,Acorn-R1,acorn/Acorn-R1
birch,Birch-2B,birch/Birch-2B
"""
EXTRA = """org,model,modelId
cedar,Cedar-30B-A3B,cedar/Cedar-30B-A3B
"""
REGIONS = """hf_org,region,notes
acorn,china,
birch,eu,"Berlin, Germany"
cedar,unknown,Pseudonymous.
"""
PARAMETERS = """model_id,total_params_b,active_params_b,is_moe,notes
acorn/Acorn-R1,671,37,true,"The Hub shows 685, with 14 more"
birch/Birch-2B,2.1,,false,
"""
CORRECTIONS = """# Manual release date corrections
# The Hub's date can differ, "sometimes
# Format: model_id,hf_created_at,actual_release_date,notes
model_id,hf_created_at,actual_release_date,notes
acorn/Acorn-7B,2025-08-04,2025-08-05,1 day early
"""


def contents(**changed: str | bytes) -> dict[str, bytes]:
    """The five files; keywords are the constants' names in lower case."""
    texts = dict(
        zip(
            ("models", "extra", "regions", "parameters", "corrections"),
            (MODELS, EXTRA, REGIONS, PARAMETERS, CORRECTIONS),
            strict=True,
        )
    )
    named = {**texts, **changed}
    return {
        file: text.encode() if isinstance(text, str) else text
        for file, text in zip(FILES, named.values(), strict=True)
    }


def tracked_list(**changed: str | bytes) -> TrackedList:
    return read_tracked_list(contents(**changed))

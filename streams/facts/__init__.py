"""The facts processor: rows of other sources, written as they arrive."""

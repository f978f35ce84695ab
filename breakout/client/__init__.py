"""Client of the HTTP API: every operation is a method.

    from breakout.client import Breakout

    breakout = Breakout("http://127.0.0.1:8000")
    downloads = breakout.downloads("org/model", since="2026-01-01")
    frame = downloads.to_pandas()  # or to_polars(), or the pyarrow.Table downloads.table
    print(downloads.citation)

It needs httpx, pyarrow and tenacity: `pip install breakout-adoption`.
"""

from breakout.client.client import Breakout
from breakout.client.errors import BreakoutError
from breakout.client.result import Result

__all__ = ["Breakout", "BreakoutError", "Result"]

"""Time and memory to read a snapshot of the Hub: a file of 1.5 GB with long row groups.

The file resembles hub-stats': the columns to read lie between others, which are most of it. It is
served in byte ranges; a separate process reads it, so that its memory is that of reading.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from bench.figures import Figure, Target
from bench.sizes import Sizes
from collectors.backfill.snapshots import COUNTERS, ID, read_snapshot
from collectors.http.client import Source

NAME = "snapshot"
WANTED = 2_000
"""Models to find, all over the file."""

READ = {ID, *COUNTERS}

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_MIB = 1 << 20


def figures(sizes: Sizes, report: Callable[[str], None]) -> Iterator[Figure]:
    """Yield the share of the file that is read, the time and the memory of the reader."""
    size = sizes.snapshot
    with tempfile.TemporaryDirectory() as folder:
        file, wanted = Path(folder) / "models.parquet", Path(folder) / "wanted.txt"
        report("writing the file")
        ids = write(file, size.rows, size.row_group, size.filler)
        wanted.write_text("\n".join(ids[:: max(len(ids) // WANTED, 1)]))
        report("reading it")
        with served(file) as address:
            command = [sys.executable, "-m", "bench.snapshot", address, str(wanted)]
            run = subprocess.run(command, check=False, capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"reading the snapshot failed: {run.stderr.strip()[-500:]}")
        read = json.loads(run.stdout)
        total, needed = file.stat().st_size, columns_bytes(file)
    note = (
        f"{read['found']:,} of {size.rows:,} rows, {size.row_group:,} per row group, of a file of "
        f"{total / 1e9:.2f} GB"
    )
    share = 100 * read["bytes"] / total
    yield Figure(NAME, "read of the file", share, "%", note)
    beyond = (read["bytes"] - needed) / _MIB
    yield Figure(NAME, "read beyond its columns", beyond, "MiB", "", Target(1, at_least=False))
    yield Figure(NAME, "time", read["seconds"], "s", "from this machine's own disk")
    peak = "the reader's peak above what it had before"
    yield Figure(NAME, "memory", read["mib"], "MiB", peak, Target(1_024, at_least=False))


def write(file: Path, rows: int, row_group: int, filler: int) -> list[str]:
    """Write a snapshot; `filler` is the bytes a row of other columns. Return all ids."""
    random = Random(1)
    ids = [f"org-{random.randrange(50_000)}/{random.randbytes(6).hex()}" for _ in range(rows)]
    writer: pq.ParquetWriter | None = None
    for start in range(0, rows, row_group):
        part = ids[start : start + row_group]
        count = pa.array(range(start, start + len(part)), pa.int64())
        table = pa.table(
            {
                "id": part,
                "cardData": _filler(len(part), filler // 2),
                "downloads": count,
                "gguf": _filler(len(part), filler // 2),
                "downloadsAllTime": count,
                "likes": count,
            }
        )
        writer = writer or pq.ParquetWriter(file, table.schema, use_dictionary=False)
        writer.write_table(table, row_group_size=row_group)
    if writer is not None:
        writer.close()
    return ids


def columns_bytes(file: Path) -> int:
    """Return the bytes of the columns that are read, over all row groups."""
    metadata = pq.read_metadata(file)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    return sum(one.total_compressed_size for one in columns if one.path_in_schema in READ)


def _filler(rows: int, width: int) -> pa.Array:
    """Return an incompressible column."""
    content = pa.py_buffer(os.urandom(rows * width))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), rows, [None, content])


@contextmanager
def served(file: Path) -> Iterator[str]:
    """Serve a file by ranges; yield its server's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = file.stat().st_size
            wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
            if wanted is None:
                self.send_error(400)
                return
            first, last = int(wanted[1]), min(int(wanted[2]), size - 1)
            with file.open("rb") as content:
                content.seek(first)
                part = content.read(last - first + 1)
            self.send_response(206)
            self.send_header("Content-Length", str(len(part)))
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.end_headers()
            self.wfile.write(part)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


async def _read(address: str, wanted: list[str]) -> None:
    before = _peak_mib()
    started = time.perf_counter()
    async with Source("bench", address, "HF_ENDPOINT") as source:
        found = await read_snapshot(source, "/models.parquet", wanted, origin="bench")
    result = {
        "found": len(found.counters),
        "bytes": found.bytes_read,
        "seconds": time.perf_counter() - started,
        "mib": _peak_mib() - before,
    }
    sys.stdout.write(json.dumps(result))


def _peak_mib() -> float:
    """Return the peak memory; `getrusage` may report the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    asyncio.run(_read(sys.argv[1], Path(sys.argv[2]).read_text().splitlines()))

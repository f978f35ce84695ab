"""Files that are kept for a while: made once, held while they are read, gone afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from api import spool as spool_module
from api.problems import ProblemError
from api.read_only_client import collect, single_chunk
from api.spool import Spool, SpoolFile
from api.stored_files import StoredFile, StoredFiles
from api.table_states import State

ONE, TWO = {"models_log": "1"}, {"models_log": "2"}
KEY = ("client", "/v1/models", b"", "csv")


class Maker:
    """Makes files of a text, and counts them."""

    def __init__(self, spool: Spool, text: bytes = b"text") -> None:
        self.spool, self.text, self.made = spool, text, 0
        self.wait_seconds = 0.01
        self.release = asyncio.Event()
        self.release.set()

    async def __call__(self) -> StoredFile:
        self.made += 1
        await self.release.wait()
        file = await self.spool.create("client", self.wait_seconds)
        await file.write(single_chunk(self.text))
        return StoredFile(file, {"ETag": f'"{file.digest}"'})


@pytest.fixture
async def spool() -> AsyncIterator[Spool]:
    spool = Spool(4000)
    yield spool
    spool.close()


async def read(files: StoredFiles, maker: Maker, state: State = ONE) -> bytes:
    async with AsyncExitStack() as stack:
        file = await files.get(KEY, state, maker, stack)
        return await collect(file.spooled.read())


async def wait_until_closed(file: SpoolFile) -> None:
    async with asyncio.timeout(30):
        while not file.closed:  # noqa: ASYNC110 - by a timer, not by a task
            await asyncio.sleep(0.001)


async def test_file_is_made_once(spool: Spool) -> None:
    files, maker = StoredFiles(), Maker(spool)
    assert [await read(files, maker) for _ in range(3)] == [b"text"] * 3
    assert maker.made == 1
    await read(files, maker, TWO)
    assert maker.made == 2


async def test_concurrent_requests_share_the_file_being_made(spool: Spool) -> None:
    files, maker = StoredFiles(), Maker(spool)
    maker.release.clear()
    readers = [asyncio.create_task(read(files, maker)) for _ in range(3)]
    await asyncio.sleep(0)
    readers[0].cancel()
    maker.release.set()
    assert await asyncio.gather(*readers[1:]) == [b"text"] * 2
    assert maker.made == 1


async def test_file_is_not_evicted_before_it_is_read(spool: Spool) -> None:
    """As many requests as there are: each waits for space, and gets its file at the first try."""
    files, makers = StoredFiles(), [Maker(spool, b"%d" % number) for number in range(20)]
    for maker in makers:
        maker.wait_seconds = 30

    async def read_own(number: int) -> bytes:
        key = ("client", f"/{number}", b"", "csv")
        async with AsyncExitStack() as stack:
            file = await files.get(key, ONE, makers[number], stack)
            await asyncio.sleep(0)
            return await collect(file.spooled.read())

    found = await asyncio.gather(*map(read_own, range(20)))
    assert found == [b"%d" % number for number in range(20)]
    assert [maker.made for maker in makers] == [1] * 20


async def test_file_that_nobody_waits_for_is_idle(spool: Spool) -> None:
    files, maker = StoredFiles(), Maker(spool)
    maker.release.clear()
    reader = asyncio.create_task(read(files, maker))
    await asyncio.sleep(0)
    reader.cancel()
    maker.release.set()
    async with asyncio.timeout(30):
        while not spool._idle:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0.001)
    # Idle files give way, so there is space for two others.
    others = [await spool.create("client", 0.01) for _number in range(2)]
    for other in others:
        other.close()


async def test_failure_is_not_stored(spool: Spool) -> None:
    files, maker = StoredFiles(), Maker(spool)

    async def fail() -> StoredFile:
        raise ProblemError(503, "busy")

    for _attempt in range(2):
        async with AsyncExitStack() as stack:
            with pytest.raises(ProblemError, match="busy"):
                await files.get(KEY, ONE, fail, stack)
    assert await read(files, maker) == b"text"


async def test_replaced_file_stays_until_it_is_read(spool: Spool) -> None:
    files, maker = StoredFiles(), Maker(spool)
    async with AsyncExitStack() as stack:
        old = await files.get(KEY, ONE, maker, stack)
        maker.text = b"other"
        assert await read(files, maker, TWO) == b"other"
        assert await collect(old.spooled.read(1, 3)) == b"ex"
    assert old.spooled.closed


async def test_idle_file_expires(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "IDLE_SECONDS", 0.01)
    files, maker = StoredFiles(), Maker(spool)
    async with AsyncExitStack() as stack:
        file = await files.get(KEY, ONE, maker, stack)
    await wait_until_closed(file.spooled)
    async with AsyncExitStack() as stack:
        assert await files.reading(KEY, stack) is None
    assert await read(files, maker) == b"text"
    assert maker.made == 2


async def test_idle_files_give_way_to_new_ones(spool: Spool) -> None:
    """A quarter of the space is a response's, half of it a client's."""
    kept = []
    for _number in range(6):
        file = await spool.create("client", 0.01)
        await file.write(single_chunk(b"x" * 900))
        file.keep()
        kept.append(file)
    assert [file.closed for file in kept] == [True] * 4 + [False] * 2
    with kept[-1].reading():
        another = await spool.create("client", 0.01)
        assert not kept[-1].closed
        another.close()


async def test_file_that_is_read_keeps_its_space(spool: Spool) -> None:
    held = []
    for _number in range(2):
        file = await spool.create("client", 0.01)
        await file.write(single_chunk(b"x" * 900))
        held.append(file)
    with pytest.raises(ProblemError, match="your large responses") as caught:
        await spool.create("client", 0.01)
    assert caught.value.status == 429
    (await spool.create("other", 0.01)).close()
    for file in held:
        file.close()


async def test_idle_files_are_bounded_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "MAX_IDLE_FILES", 3)
    spool = Spool(2**30)
    files: list[SpoolFile] = []
    for _number in range(5):
        file = await spool.create("client", 1)
        await file.write(single_chunk(b"x"))
        file.keep()
        files.append(file)
    assert [file.closed for file in files] == [True, True, False, False, False]
    for file in files:
        file.close()


async def test_readers_do_not_disturb_each_other(spool: Spool) -> None:
    file = await spool.create("client", 1)
    await file.write(single_chunk(bytes(range(200))))
    parts = await asyncio.gather(*(collect(file.read(n, n + 50)) for n in range(0, 150, 10)))
    assert parts == [bytes(range(n, n + 50)) for n in range(0, 150, 10)]
    file.close()

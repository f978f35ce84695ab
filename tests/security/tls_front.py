"""What ends TLS before a server that speaks in the clear, as a load balancer does."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from breakout.simulation.serving import stop_accepting


@contextmanager
def tls_front(port: int, context: ssl.SSLContext) -> Iterator[int]:
    """Speak TLS on a port of its own, which is yielded, for the server at `port`."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    listening: list[int] = []
    stop = asyncio.Event()

    async def serve() -> None:
        server = await asyncio.start_server(link, "127.0.0.1", 0, ssl=context)
        listening.append(server.sockets[0].getsockname()[1])
        ready.set()
        await stop.wait()
        await stop_accepting(server)
        for task in links:
            task.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    links: set[asyncio.Task[None]] = set()

    async def link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            links.add(task)
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_pass(reader, inner_writer), _pass(inner_reader, writer))
        finally:
            for one in (writer, inner_writer):
                one.transport.abort()
                with contextlib.suppress(OSError):
                    await one.wait_closed()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield listening[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()

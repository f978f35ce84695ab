"""`python -m bench.load_generator REQUESTS CLIENTS SECONDS`: HTTP clients in one process.

REQUESTS is a JSON file: a list of {"url", "body"}, body null for GET. Each client keeps its
connection, reads the complete response, and sends another request at random; after any status but
200 it waits half a second. Prints one line of JSON: the seconds of every response with status 200,
and the number of other results by status or error.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

RETRY_SECONDS = 0.5


async def read(requests: list[dict[str, Any]], clients: int, seconds: float) -> dict[str, Any]:
    """Send requests for some seconds; returns the result to print."""
    seconds_of_responses: list[float] = []
    others: Counter[str] = Counter()
    end = time.monotonic() + seconds
    timeout = aiohttp.ClientTimeout(total=60)
    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def client(number: int) -> None:
            choices = random.Random(number)
            while (began := time.monotonic()) < end:
                one = choices.choice(requests)
                method = "GET" if one["body"] is None else "POST"
                try:
                    async with session.request(method, one["url"], data=one["body"]) as response:
                        await response.read()
                except aiohttp.ClientError as error:
                    others[type(error).__name__] += 1
                    continue
                if response.status == 200:
                    seconds_of_responses.append(time.monotonic() - began)
                else:
                    others[str(response.status)] += 1
                    await asyncio.sleep(RETRY_SECONDS)

        await asyncio.gather(*(client(number) for number in range(clients)))
    return {"seconds": seconds_of_responses, "others": others}


if __name__ == "__main__":
    chosen = json.loads(Path(sys.argv[1]).read_text())
    print(json.dumps(asyncio.run(read(chosen, int(sys.argv[2]), float(sys.argv[3])))))

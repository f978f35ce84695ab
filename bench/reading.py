"""`python -m bench.reading QUESTIONS READERS SECONDS`: readers who ask all the time, one process.

QUESTIONS is a file of JSON: a list of {"url", "body"}, body null for a GET. Each reader keeps a
connection, takes the answer whole, and asks the next question at random. Who is told to come again
(503) counts as sent away, and comes again after half a second. Prints one line of JSON: the
seconds of every answer, and how many answers were others than 200, by status.
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

AGAIN_SECONDS = 0.5


async def read(questions: list[dict[str, Any]], readers: int, seconds: float) -> dict[str, Any]:
    """Ask for so many seconds; returns what the program prints."""
    answered: list[float] = []
    others: Counter[str] = Counter()
    end = time.monotonic() + seconds
    timeout = aiohttp.ClientTimeout(total=60)
    connector = aiohttp.TCPConnector(limit=readers)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def reader(number: int) -> None:
            choices = random.Random(number)
            while (began := time.monotonic()) < end:
                one = choices.choice(questions)
                method = "GET" if one["body"] is None else "POST"
                try:
                    async with session.request(method, one["url"], data=one["body"]) as answer:
                        await answer.read()
                except aiohttp.ClientError as error:
                    others[type(error).__name__] += 1
                    continue
                if answer.status == 200:
                    answered.append(time.monotonic() - began)
                else:
                    others[str(answer.status)] += 1
                    await asyncio.sleep(AGAIN_SECONDS)

        await asyncio.gather(*(reader(number) for number in range(readers)))
    return {"seconds": answered, "others": others}


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_text())
    print(json.dumps(asyncio.run(read(asked, int(sys.argv[2]), float(sys.argv[3])))))

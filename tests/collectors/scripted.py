"""A real HTTP server that answers what a test says, for the documented shapes of a source."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from breakout.simulation.serving import Serving

Answer = Callable[[web.Request], Any]
"""JSON to answer with, or a whole response."""


@dataclass
class Scripted:
    """Answers by path; a tuple is answered one after the other, its last for ever."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    requests: list[web.Request] = field(default_factory=list)

    def paths(self) -> list[str]:
        """Paths and queries asked for so far."""
        return [request.path_qs for request in self.requests]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.requests.append(request)
        if request.path not in self.answers:
            return web.json_response({"error": "not found"}, status=404)
        content = self.answers[request.path]
        if isinstance(content, tuple):
            self.answers[request.path] = content[1:] or content
            content = content[0]
        if callable(content):
            content = content(request)
        return content if isinstance(content, web.StreamResponse) else web.json_response(content)


@asynccontextmanager
async def scripted(answers: dict[str, Any]) -> AsyncIterator[Scripted]:
    """Run a server with these answers."""
    server = Scripted(answers=answers)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    async with Serving(app) as serving:
        server.url = serving.url
        yield server

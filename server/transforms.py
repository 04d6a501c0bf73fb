"""Pictures made when they are asked for: `/transforms/{token}`, whose token says all of what is made.

An answer is that of `/files`: recorded before its first byte, and nothing a browser could run.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain import transforms
from domain.transforms import Door, Opened, Wanted
from domain.work import HUB, Work
from server import at_once, desk, files, waiting
from server.files import Stream
from server.problems import HttpRefusal


async def transform(request: Request) -> Response | Stream:
    at = desk.of(request)
    token, address = request.path_params["token"], at.address(request)
    if request.url.query:
        raise HttpRefusal(400, "UNSIGNED", "What this address makes is in its signature: it takes no parameters.")

    door: Door | None = None

    def question(work: Work) -> Opened | Wanted:
        nonlocal door
        door = transforms.knock(work, token, address, None if door is None else door.wanted)
        return transforms.opened(work, door) or door.wanted

    since = at_once.moment(at)
    opened = await at.read(HUB, question)
    if isinstance(opened, Wanted):
        assert door is not None, "it was knocked at"
        if (answered := await at_once.answer(request, door, question, since)) is not None:
            return answered
        opened = await waiting.made(request, question, opened)
    return await answer(request, opened)


async def answer(request: Request, opened: Opened) -> Response | Stream:
    """The bytes; that they were asked for is written down about once an hour."""
    answered = await files.answer(request, opened.delivery)
    await noted(request, opened)
    return answered


async def noted(request: Request, opened: Opened) -> None:
    if opened.is_due:
        await desk.of(request).write(HUB, lambda work: transforms.touch(work, opened.transform_id))


ROUTES = [Route("/transforms/{token}", transform, methods=["GET"])]

"""Pictures made when they are asked for: `/transforms/{token}`, whose token says all of what is made.

An answer is that of `/files`: recorded before its first byte, and nothing a browser could run.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain import transforms
from domain.transforms import Opened, Wanted
from domain.work import HUB, Work
from server import desk, files, waiting
from server.files import Stream
from server.problems import HttpRefusal


async def transform(request: Request) -> Response | Stream:
    at = desk.of(request)
    token, address = request.path_params["token"], at.address(request)
    if request.url.query:
        raise HttpRefusal(400, "UNSIGNED", "What this address makes is in its signature: it takes no parameters.")

    wanted: Wanted | None = None

    def question(work: Work) -> Opened | Wanted:
        nonlocal wanted
        found = transforms.open_door(work, token, address, wanted)
        wanted = found if isinstance(found, Wanted) else None
        return found

    return await answer(request, await waiting.made(request, question))


async def answer(request: Request, opened: Opened) -> Response | Stream:
    """The bytes; that they were asked for is written down about once an hour."""
    answered = await files.answer(request, opened.delivery)
    await noted(request, opened)
    return answered


async def noted(request: Request, opened: Opened) -> None:
    if opened.is_due:
        await desk.of(request).write(HUB, lambda work: transforms.touch(work, opened.transform_id))


ROUTES = [Route("/transforms/{token}", transform, methods=["GET"])]

"""How people sign in and out in a browser: at an identity provider, with a password, or following an invitation."""

from __future__ import annotations

from starlette.routing import Route

from server.signing_in import elsewhere, inviting, leaving, pages, password

ROUTES = [
    Route("/auth/login", elsewhere.begin, methods=["GET"]),
    Route("/auth/callback", elsewhere.arrive, methods=["GET"]),
    Route("/auth/password", password.sign_in, methods=["POST"]),
    Route("/auth/logout", leaving.leave, methods=["POST"]),
    Route("/auth/invite/{secret}", inviting.show, methods=["GET"]),
    Route("/auth/invite/{secret}", inviting.accept, methods=["POST"]),
    Route("/auth/pages/{name}", pages.file, methods=["GET"]),
]

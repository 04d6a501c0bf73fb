"""GraphiQL's files: all of them ours, none from elsewhere."""

from __future__ import annotations

import re

import pytest

from server import explorer
from tests.server.caller import Caller


@pytest.fixture
def anybody(ask: Caller) -> Caller:
    return ask.as_("")


def test_everything_the_page_names_is_served_from_here(anybody: Caller) -> None:
    page = anybody("GET", "/graphql", {"accept": "text/html"}).text
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(named) == len(explorer.MEDIA_TYPES)
    for address in named:
        answer = anybody("GET", f"/{address}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] in {"text/css", "text/javascript", "image/svg+xml"}
        assert anybody("GET", f"/{address}", {"if-none-match": answer.headers["etag"]}).status_code == 304


def test_nothing_on_the_page_is_inline(anybody: Caller) -> None:
    page = anybody("GET", "/graphql", {"accept": "text/html"}).text
    assert re.findall(r"<script>|<script [^>]*>[^<]|<style|\son\w+=|style=", page) == []


def test_only_what_the_page_needs_is_served(anybody: Caller) -> None:
    for name in ("README.md", "index.html", "..%2Fapp.py", "LICENSE.react", "nothing.js"):
        assert anybody("GET", f"/graphiql/{name}").status_code == 404

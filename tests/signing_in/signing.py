"""What a browser does at the provider: fills in its forms, and comes back."""

from __future__ import annotations

import html
import re

import httpx

from tests.servers.oidc_provider import Provider


def set_out(browser: httpx.Client, address: str = "/auth/login") -> httpx.URL:
    """Where the hub sends the browser."""
    answer = browser.get(address)
    assert answer.status_code == 303, answer.text
    return httpx.URL(answer.headers["location"])


def signed_in_there(provider: Provider, where: httpx.URL, login: str) -> httpx.URL:
    """Signs in and consents at the provider; where it sends the browser back to."""
    with httpx.Client(timeout=60, trust_env=False) as there:
        answer = there.get(where)
        for _ in range(20):
            if answer.is_redirect:
                onward = answer.url.join(answer.headers["location"])
                if not str(onward).startswith(provider.issuer):
                    return onward
                answer = there.get(onward)
            else:
                assert answer.status_code == 200, answer.text
                answer = _submitted(there, answer, login)
    raise AssertionError("the provider never sent the browser back")


def came_back(browser: httpx.Client, provider: Provider, login: str, address: str = "/auth/login") -> httpx.Response:
    """The whole way there and back; how the hub answers in the end."""
    return browser.get(signed_in_there(provider, set_out(browser, address), login))


def _submitted(there: httpx.Client, page: httpx.Response, login: str) -> httpx.Response:
    form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
    assert form, page.text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    if fields.get("prompt") == "login":
        fields |= {"login": login, "password": "anything"}
    return there.post(html.unescape(form[1]), data=fields)

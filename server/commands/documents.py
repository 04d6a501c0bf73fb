"""`documents register`: what a client's build has written down becomes trusted, here or on a hub elsewhere."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from domain import documents
from domain.refusals import Conflict, Invalid
from domain.work import HUB
from schema import execution
from schema.documents import REGISTER
from schema.execution import Asked
from server.opening import opened
from storage.settings import load

#: Documents, and characters of them, in one request: a request has at most a mebibyte.
MOST_AT_ONCE = 100
MOST_CHARACTERS = 200_000
SECONDS = 60.0
#: Where the token stands that is shown to a hub elsewhere: arguments are seen by everybody on the machine.
TOKEN = "IMPRIMATUR_TOKEN"  # noqa: S105  # a name, not a token

Document = Mapping[str, str]
#: Asks with these variables and answers with the whole response.
Ask = Callable[[Mapping[str, Any]], dict[str, Any]]


def register(app: typer.Typer) -> None:
    group = typer.Typer(name="documents", help="Trusted GraphQL documents.", no_args_is_help=True)
    group.callback()(lambda: None)  # else a single command would lose its name
    group.command("register")(register_files)
    app.add_typer(group)


def register_files(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…",
            help="Manifests as graphql-codegen and Relay ({digest: text}) or Apollo write them.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="URL", help=f"A hub elsewhere, to which the token in {TOKEN} is shown."),
    ] = None,
) -> None:
    """Register the documents of manifests: those that are trusted already stay."""
    found = {each["id"]: each for file in files for each in _read(file)}
    if not found:
        raise Invalid("There are no documents in these files.")
    if at is not None:
        token = _token()
        _register(list(found.values()), lambda variables: _posted(at, token, variables))
    else:
        with opened(load()) as hub:
            _register(
                list(found.values()),
                lambda variables: orjson.loads(
                    execution.answer(hub, HUB, Asked(REGISTER, variables=dict(variables)), "documents register").body
                ),
            )
    typer.echo(f"{len(found)} documents are trusted." if len(found) > 1 else "1 document is trusted.")


def _read(file: Path) -> Iterator[Document]:
    try:
        told = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError:
        raise Invalid(f"{file} is no JSON.") from None
    if isinstance(told, dict) and isinstance(told.get("operations"), list):
        found = [each if isinstance(each, dict) else {} for each in told["operations"]]
        entries = [(each.get("id"), each.get("body"), each.get("name")) for each in found]
    elif isinstance(told, dict):
        entries = [(digest, body, None) for digest, body in told.items()]
    else:
        raise Invalid(f"{file} is no manifest: it holds a JSON object of digests and texts.")
    for digest, body, name in entries:
        if not isinstance(digest, str) or not isinstance(body, str) or not isinstance(name, str | None):
            raise Invalid(f"{file} is no manifest: it holds something else than digests and texts.")
        if documents.digest_named(digest) != documents.digest_of(body):
            raise Invalid(f"{file}: {digest} is not the SHA-256 of its document. Let the generator hash with sha256.")
        yield {"id": digest, "body": body} | ({"name": name} if name else {})


def _register(wanted: Sequence[Document], ask: Ask) -> None:
    for batch in _batches(wanted):
        answer = ask({"documents": batch})
        payload = (answer.get("data") or {}).get("documentsRegister") or {}
        if told := answer.get("errors") or payload.get("errors"):
            raise Conflict("\n".join(_told(each, batch) for each in told))
        if len(payload.get("documents") or ()) != len(batch):
            raise Conflict("The hub did not say that it registered these documents.")


def _batches(wanted: Sequence[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    for each in wanted:
        if batch and (len(batch) == MOST_AT_ONCE or sum(len(one["body"]) for one in batch) > MOST_CHARACTERS):
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch


def _told(error: Mapping[str, Any], batch: Sequence[Document]) -> str:
    match error.get("path"):
        case ["documents", str(place), *_] if place.isdecimal() and int(place) < len(batch):
            return f"{batch[int(place)]['id']}: {error['message']}"
    return str(error["message"])


def _posted(at: str, token: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """By the digest of the mutation, which every hub knows: one on which nothing else runs answers it, too."""
    asked = {"documentId": documents.PREFIX + documents.digest_of(REGISTER), "variables": variables}
    address = at.rstrip("/").removesuffix("/graphql") + "/graphql"
    status, body = _sent(address, token, orjson.dumps(asked))
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict) or not told.keys() & {"data", "errors"}:
        raise Conflict(f"{address} is no hub: it answered {status} and nothing of GraphQL.")
    return told


def _sent(address: str, token: str, body: bytes) -> tuple[int, bytes]:
    """The status and body of what was answered."""
    if not address.startswith(("https://", "http://")):
        raise Conflict(f"{address} cannot be reached: it begins with neither https:// nor http://.")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(address, body, headers)  # noqa: S310  # of these two schemes only
    try:
        with urllib.request.build_opener(_StaysHere).open(request, timeout=SECONDS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Conflict(f"{address} cannot be reached: {getattr(error, 'reason', error)}.") from error


class _StaysHere(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere: the token would come along."""

    def redirect_request(self, *_: object) -> None:
        return None


def _token() -> str:
    token = os.environ.get(TOKEN, "")
    if not token:
        raise Invalid(f"Set {TOKEN} to a token that may register documents.")
    return token

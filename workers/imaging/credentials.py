"""Content credentials (C2PA): a finished rendition says in itself which hub made it, of what, and how.

By the extra `provenance`. What the original says of its own past goes along, so that the chain is kept. No picture is
embedded, nobody is named but the hub, and nothing is fetched from anywhere.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domain.credentials import Credentials
from domain.recipes import FailureCode, RenderFailure
from workers import sandbox
from workers.imaging import failures
from workers.imaging.formats.still import library
from workers.imaging.pictures import Made
from workers.sandbox import SandboxLimits

_MAKER = "Imprimatur"
#: Names of files and presets are the house's own affair.
_TITLE = "Rendition"
_ALGORITHM = b"es256"
#: No addresses are followed, and no thumbnails made: these would be larger than all the rest.
_SETTINGS: dict[str, Any] = {
    "verify": {"verify_after_sign": False, "verify_trust": False, "remote_manifest_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}


@dataclass(frozen=True)
class Original:
    """`path` is None where the bytes are not at hand: then its digest alone says which it was."""

    path: Path | None
    media_type: str
    sha256: str


def signed(
    original: Original,
    made: Sequence[Made],
    folder: Path,
    credentials: Credentials,
    *,
    limits: SandboxLimits | None = None,
) -> dict[str, RenderFailure]:
    """Signs each file in `folder` in place, in a sandbox, for the original is a stranger's; by preset, what failed.

    A kind of file that cannot carry credentials is left as it is, and is no failure.
    """
    try:
        said: dict[str, Any] = sandbox.run(_sign_all, original, made, folder, credentials, limits=limits)
        return {preset: RenderFailure(FailureCode(code), sentence) for preset, (code, sentence) in said.items()}
    except sandbox.StoppedError as stopped:
        return {one.preset: failures.failure(stopped.code) for one in made}
    except (TypeError, ValueError, AttributeError):  # a child that was captured may answer anything
        return {one.preset: failures.failure(FailureCode.CRASHED) for one in made}


def read(path: Path, media_type: str, root: str | None = None) -> dict[str, Any]:
    """What a file's credentials say, as C2PA's own JSON, with `validation_state`: Invalid, Valid, or Trusted where
    `root`, a certificate in PEM, stands behind it. Empty where there are none.
    """
    c2pa = library("c2pa", "provenance")
    settings: dict[str, Any] = {"verify": {"verify_trust": root is not None, "remote_manifest_fetch": False}}
    if root is not None:
        settings["trust"] = {"trust_anchors": root}
    with path.open("rb") as file:
        found = c2pa.Reader.try_create(media_type, file, context=c2pa.Context.from_dict(settings))
        if found is None:
            return {}
        with found:
            told: dict[str, Any] = json.loads(found.json())
            return told


def _sign_all(
    original: Original, made: Sequence[Made], folder: Path, credentials: Credentials
) -> dict[str, tuple[str, str]]:
    """Inside the sandbox; answers in JSON."""
    try:
        c2pa = library("c2pa", "provenance")
    except failures.PictureError as error:
        said = asdict(error.failure)
        return {one.preset: (said["code"], said["sentence"]) for one in made}
    context = c2pa.Context.from_dict(_SETTINGS)
    info = c2pa.C2paSignerInfo(_ALGORITHM, credentials.chain.encode(), credentials.key.encode(), None)
    carried = set(c2pa.Builder.get_supported_mime_types())
    failed: dict[str, tuple[str, str]] = {}
    for one in made:
        if one.media_type not in carried:
            continue
        try:
            _sign(c2pa, context, info, original, one, folder / one.file_name)
        except c2pa.C2paError:
            failed[one.preset] = (FailureCode.CRASHED.value, "The content credentials could not be written.")
    return failed


def _sign(c2pa: Any, context: Any, info: Any, original: Original, one: Made, path: Path) -> None:
    finished = io.BytesIO()
    with path.open("rb") as file, _told(c2pa, context, original, one) as builder, c2pa.Signer.from_info(info) as signer:
        builder.sign(signer, one.media_type, file, finished)
    path.write_bytes(finished.getbuffer())


def _told(c2pa: Any, context: Any, original: Original, one: Made) -> Any:
    """What is to be signed: made of this original, resized and encoded anew."""
    parent = {"title": "Original", "relationship": "parentOf", "instance_id": f"sha256:{original.sha256}"}
    said: dict[str, Any] = {"claim_generator_info": [{"name": _MAKER}], "title": _TITLE, "format": one.media_type}
    builder = c2pa.Builder(json.dumps(said), context=context)
    if not _hands_on(c2pa, builder, parent, original):
        builder.close()
        said["ingredients"] = [parent | {"format": original.media_type}]
        builder = c2pa.Builder(json.dumps(said), context=context)
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
    builder.add_action({"action": "c2pa.resized"})
    builder.add_action({"action": "c2pa.transcoded"})
    return builder


def _hands_on(c2pa: Any, builder: Any, parent: dict[str, Any], original: Original) -> bool:
    """False where the original has nothing to hand on: it is of a kind that carries no credentials, or not at hand."""
    if original.path is None:
        return False
    try:
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        with original.path.open("rb") as file:
            builder.add_ingredient_from_stream(json.dumps(parent), original.media_type, file)
    except c2pa.C2paError:
        return False
    return True

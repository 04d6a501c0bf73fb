"""Pictures that are made when their address is opened: the address says all of it, and is signed as a whole.

Always true here:
- What an address makes was decided when it was signed; nobody adds to it or changes it.
- It opens to whom an address of the original would open: any part in any size may be asked for, so it takes nothing
  less than the permission to take the original away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Final

from domain import crediting, delivery, focal, signing
from domain.delivery import Delivery, Signing, Taken
from domain.recipes import Fit, Format, Recipe
from domain.refusals import FileRefused, Invalid
from domain.transforms import kept, spelling
from domain.transforms.kept import PICTURE, Made, Wanted
from domain.work import Work
from storage.tables import AssetVersionRow, TransformRow

#: Width × height of a picture that is filled up to its box: nothing of the original bounds these.
MOST_PADDED: Final = 50_000_000

_PURPOSE: Final = "transforms"


@dataclass(frozen=True)
class Opened:
    """What is delivered, from which row, and whether it is to be written down that it was asked for."""

    delivery: Delivery
    transform_id: int
    is_due: bool


def check(recipe: Recipe) -> None:
    """`Invalid` for what a preset may ask for and an address may not."""
    if recipe.enlarge:
        raise Invalid("An address enlarges nothing.", ("enlarge",), "value")
    if recipe.fit is Fit.PAD and recipe.width * recipe.height > MOST_PADDED:
        raise Invalid(f"A padded picture has at most {MOST_PADDED:,} pixels.", ("width",), "range")


def urls(work: Work, recipe: Recipe) -> Signing:
    """Where what the recipe makes of a version (id, digest) is fetched; refuses like `check`. Whether the viewer may
    take the version away is the caller's question.
    """
    check(recipe)
    return delivery.addresses(work, _PURPOSE, {"r": spelling.spelt(recipe)})


@dataclass(frozen=True)
class Door:
    """What a token opens to whom, before it is looked whether that is there."""

    taken: Taken
    wanted: Wanted


def open_door(work: Work, token: str, address: str | None = None, wanted: Wanted | None = None) -> Opened | Wanted:
    """What the token opens now from `address` (an IP address), or what has to be made before. Refuses like
    `delivery.open_door`, and with `FileRefused` where it cannot be made. Whoever has waited for what it `wanted` is
    given that: only whether they may have it is asked anew.
    """
    door = knock(work, token, address, wanted)
    return opened(work, door) or door.wanted


def knock(work: Work, token: str, address: str | None = None, wanted: Wanted | None = None) -> Door:
    """What `open_door` asks before it looks for what is wanted; refuses like `delivery.open_door`."""
    claims = signing.verified(work.secret, _PURPOSE, token)
    let_in = delivery.admitted(work, claims, address)
    sha256 = delivery.digest_of(claims)
    found = delivery.downloadable(let_in, claims["i"], sha256)
    if found is None:
        raise signing.nothing()
    if wanted is None:
        recipe = _tailored(work, found.version, spelling.recipe(claims["r"]))
        wanted = Wanted(sha256, PICTURE, recipe, is_signed=work.limits.content_credentials)
    return Door(found, wanted)


def opened(work: Work, door: Door) -> Opened | None:
    """What is delivered through it; None where that has to be made, `FileRefused` where it cannot be."""
    row = ready(work, door.wanted)
    if row is None:
        return None
    assert row.width is not None, "a READY row has a size"
    assert row.height is not None, "both ways"
    made = Made(**bytes_of(row), width=row.width, height=row.height)
    return Opened(_delivered(door, made), row.id, kept.is_due(work, row))


def just_made(door: Door, made: Made, transform_id: int) -> Opened:
    """What `opened` finds right after this was put down as that row."""
    return Opened(_delivered(door, made), transform_id, is_due=False)


def _delivered(door: Door, made: Made) -> Delivery:
    found, version, recipe = door.taken, door.taken.version, door.wanted.recipe
    assert recipe is not None, "all but pyramids have a recipe"
    return Delivery(
        sha256=made.sha256,
        byte_size=made.byte_size,
        media_type=made.media_type,
        file_name=f"{PurePath(version.file_name).stem}-{made.width}x{made.height}{recipe.format.extension}",
        inline=recipe.format is not Format.PDF,
        valid_until=found.let_in.valid_until,
        viewer=found.let_in.parties[-1].viewer,
        org_id=found.org_id,
        asset_id=version.asset_id,
        version_id=version.id,
        is_public=found.is_public,
        by=found.let_in.by,
    )


def _tailored(work: Work, version: AssetVersionRow, recipe: Recipe) -> Recipe:
    """With what is known now of the version: where its focal point is, and what is stated of its asset."""
    said = crediting.rights_of(work, version)
    if recipe.fit is not Fit.COVER:
        return replace(recipe, statement=said)
    point = focal.of_versions(work, [version.id]).get(version.id)
    return replace(recipe, statement=said, focal=None if point is None else (point.x, point.y), seeks=True)


def ready(work: Work, wanted: Wanted) -> TransformRow | None:
    """Its row with its bytes; None where it is still to be made, `FileRefused` where it cannot be."""
    row = kept.find(work, wanted)
    if row is not None and row.state == "FAILED" and not kept.may_be_tried(work, row):
        raise FileRefused(row.failure_message or "", row.failure_code or "", ())
    return row if row is not None and row.state == "READY" else None


def bytes_of(row: TransformRow) -> dict[str, Any]:
    """Which bytes a READY row delivers."""
    assert row.sha256 is not None, "a READY row has bytes"
    assert row.byte_size is not None, "and knows how many"
    return {"sha256": row.sha256, "byte_size": row.byte_size, "media_type": row.media_type}

"""The signed id under which a picture is zoomed into, and what an address below it opens.

Always true here:
- The id opens to whom an address of the original would open, for as long, and from where: all of the picture can be had
  through it.
- Every answer is of the version's own bytes: a tile is cut from its pyramid, all else is made of tiles.
- Every answer says whose the picture is and on what terms, as far as that is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from domain import crediting, delivery, signing, transforms
from domain.delivery import AT_WORK, Admitted, Delivery, Leave, SignedUrl
from domain.iiif import pyramids
from domain.iiif.pyramids import Span
from domain.iiif.requests import Asked
from domain.packets import jpeg
from domain.refusals import FileRefused
from domain.statements import MetadataPolicy
from domain.transforms import PART, PYRAMID, Opened, Wanted
from domain.work import Work
from storage.recent import Recent
from storage.tables import AssetVersionRow, TransformRow

#: Where ids stand in addresses.
BELOW: Final = "iiif/3"

_PURPOSE: Final = "iiif"
#: Indexes of the pyramids that people look at now, by the pyramid's digest; 4 kB for each 250 megapixels.
_indexes: Final[Recent[list[Span]]] = Recent(200)


@dataclass(frozen=True)
class Picture:
    """A picture that somebody may look at closely, in pixels as displayed; and whether its tiles are there."""

    uri: str
    width: int
    height: int
    let_in: Admitted
    version: AssetVersionRow
    org_id: int
    is_public: bool


@dataclass(frozen=True)
class Tile:
    """A part of the bytes of a pyramid, which is an answer by itself once `head` stands for its first two bytes: what
    is said of the picture now. Pyramids say nothing, for they belong to all versions that hold the same bytes.
    """

    opened: Opened
    span: Span
    head: bytes


def urls(work: Work, by: Leave = AT_WORK) -> Callable[[int, str, str, int | None, int | None], SignedUrl | None]:
    """The address, `info.json` below it, of a version by id, digest, media type, width and height; None for what is no
    picture or was not read yet. Whether the viewer may take it away, and `by` what, is the caller's question.
    """
    signed = delivery.addresses(work, _PURPOSE, {}, BELOW)

    def made(version_id: int, sha256: str, media_type: str, width: int | None, height: int | None) -> SignedUrl | None:
        is_picture = media_type.startswith("image/") and width and height
        return signed(version_id, sha256, by) if is_picture else None

    return made


def picture(work: Work, token: str, address: str | None = None) -> Picture:
    """What the id opens now from `address` (an IP address). Refuses like `delivery.open_door`."""
    claims = signing.verified(work.secret, _PURPOSE, token)
    let_in = delivery.admitted(work, claims, address)
    found = delivery.downloadable(let_in, claims["i"], delivery.digest_of(claims))
    if found is None or not (found.version.width and found.version.height):
        raise signing.nothing()
    uri, (width, height) = f"{work.public_url}/{BELOW}/{token}", (found.version.width, found.version.height)
    return Picture(uri, width, height, found.let_in, found.version, found.org_id, found.is_public)


def pyramid(work: Work, shown: Picture) -> Wanted | None:
    """What has to be made before its tiles can be had; None where they are there."""
    wanted = Wanted(shown.version.sha256, PYRAMID)
    return wanted if transforms.ready(work, wanted) is None else None


def part(work: Work, shown: Picture, asked: Asked) -> Tile | Opened | Wanted:
    """What answers the request, or what has to be made before; `FileRefused` where it cannot be."""
    wanted = Wanted(shown.version.sha256, PYRAMID)
    whole = transforms.ready(work, wanted)
    if whole is None:
        return wanted
    if (whole.width, whole.height) != (shown.width, shown.height):
        raise FileRefused("The picture turned out to have another size than it says.", "DAMAGED", ())
    said = crediting.rights_of(work, shown.version)
    if (number := asked.tile) is not None:
        head = jpeg.head(said, MetadataPolicy.RIGHTS)
        return Tile(_opened(work, shown, asked, whole), _spans(work, whole)[number], head)
    recipe = replace(asked.recipe, statement=said)
    marks = {"is_bitonal": asked.quality == "bitonal", "is_signed": work.limits.content_credentials}
    wanted = Wanted(shown.version.sha256, PART, recipe, **marks)
    row = transforms.ready(work, wanted)
    return wanted if row is None else _opened(work, shown, asked, row)


def _opened(work: Work, shown: Picture, asked: Asked, row: TransformRow) -> Opened:
    stem = PurePath(shown.version.file_name).stem
    told = Delivery(
        **transforms.bytes_of(row),
        file_name=f"{stem}-{'-'.join(map(str, asked.region))}{asked.format.extension}",
        inline=True,
        valid_until=shown.let_in.valid_until,
        viewer=shown.let_in.parties[-1].viewer,
        org_id=shown.org_id,
        asset_id=shown.version.asset_id,
        version_id=shown.version.id,
        is_public=shown.is_public,
        by=shown.let_in.by,
    )
    return Opened(replace(told, media_type=asked.format.media_type), row.id, transforms.is_due(work, row))


def _spans(work: Work, whole: TransformRow) -> list[Span]:
    """Where each tile stands in the pyramid's bytes; read from there once."""
    assert whole.sha256 is not None, "a READY pyramid has bytes"
    known = _indexes.get(whole.sha256)
    if known is None:
        with work.blobs.open(whole.sha256, whole.index_at or 0) as reader:
            known = pyramids.spans(reader.read(), whole.width or 0, whole.height or 0)
        _indexes.put(whole.sha256, known)
    return known

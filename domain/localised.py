"""Titles and alternative texts of assets in other languages, and whether a picture is only decoration.

A title in another language stands beside the asset's own title, which is nobody's language in particular and answers
where no other fits. What is only decoration keeps its alternative texts, and shows none of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from domain import locales
from domain.refusals import Invalid
from domain.texts import MAX_TITLE, line
from domain.work import Work
from storage.tables import AssetRow, AssetTextRow

MAX_ALT: Final = 2_000
#: Purpose and language of the mark of what is only decoration.
DECORATIVE: Final = ("ALT", "")

Texts = dict[str, str]


@dataclass
class Words:
    """By language."""

    titles: Texts = field(default_factory=dict)
    alts: Texts = field(default_factory=dict)
    decorative: bool = False


@dataclass(frozen=True)
class Changes:
    """By language what is to be said; None takes it away. Languages that are not named keep what they have."""

    titles: Mapping[str, str | None] = field(default_factory=dict)
    alts: Mapping[str, str | None] = field(default_factory=dict)
    decorative: bool | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {"titles": dict(self.titles), "alts": dict(self.alts), "decorative": self.decorative}


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, Words]:
    rows = sa.select(AssetTextRow).where(AssetTextRow.asset_id.in_(set(asset_ids)))
    found: dict[int, Words] = defaultdict(Words)
    order = (AssetTextRow.asset_id, AssetTextRow.purpose, AssetTextRow.locale)
    for row in work.session.scalars(rows.order_by(*order).execution_options(populate_existing=True)):
        words = found[row.asset_id]
        if (row.purpose, row.locale) == DECORATIVE:
            words.decorative = True
        else:
            (words.titles if row.purpose == "TITLE" else words.alts)[row.locale] = row.text
    return found


def title(asset: AssetRow, words: Words | None, wanted: Sequence[str]) -> tuple[str | None, str]:
    """The title that fits best and its language; None for the asset's own.

    That one answers also where there are others, but none in a wanted language.
    """
    mine = {} if words is None else words.titles
    for wish in wanted:
        found = locales.chosen({name: text for name, text in mine.items() if _near(name, wish)}, [wish])
        if found is not None:
            return found
    return None, asset.title


def alt(words: Words | None, wanted: Sequence[str]) -> tuple[str | None, str] | None:
    """The alternative text that fits best and its language; of what is only decoration it is empty. None where nobody
    has said anything.
    """
    if words is None:
        return None
    return (None, "") if words.decorative else locales.chosen(words.alts, wanted)


def read(given: Changes) -> Changes:
    """The same with languages and texts as they are kept; what breaks their rules is refused."""
    return Changes(
        titles=_read(given.titles, MAX_TITLE, "titles"),
        alts=_read(given.alts, MAX_ALT, "altTexts"),
        decorative=given.decorative,
    )


def put(work: Work, asset: AssetRow, changes: Changes) -> bool:
    """Lets the asset, which is held, be called so; whether anything changed. `changes` were read."""
    if changes == Changes():
        return False
    present = kept(work, [asset.id]).get(asset.id, {})
    wanted: dict[tuple[str, str], str | None] = {("TITLE", name): text for name, text in changes.titles.items()}
    wanted |= {("ALT", name): text for name, text in changes.alts.items()}
    if changes.decorative is not None:
        wanted[DECORATIVE] = "" if changes.decorative else None
    return put_back(work, asset, {key: text for key, text in wanted.items() if present.get(key) != text})


def check_count(words: Words) -> None:
    """Refuses more languages than a text has, as `put` does; the mark of decoration counts as an alternative text."""
    _check_languages(max(len(words.titles), len(words.alts) + words.decorative))


def kept(work: Work, asset_ids: Iterable[int]) -> dict[int, dict[tuple[str, str], str]]:
    """Per asset all texts by purpose and language, the mark of decoration among them."""
    columns = (AssetTextRow.asset_id, AssetTextRow.purpose, AssetTextRow.locale, AssetTextRow.text)
    found: dict[int, dict[tuple[str, str], str]] = defaultdict(dict)
    for asset_id, purpose, locale, text in work.session.execute(
        sa.select(*columns).where(AssetTextRow.asset_id.in_(set(asset_ids)))
    ):
        found[asset_id][purpose, locale] = text
    return found


def put_back(work: Work, asset: AssetRow, texts: Mapping[tuple[str, str], str | None]) -> bool:
    """Writes these texts by purpose and language, as they are; None is none."""
    for (purpose, locale), text in texts.items():
        own = (AssetTextRow.asset_id == asset.id, AssetTextRow.purpose == purpose, AssetTextRow.locale == locale)
        work.session.execute(sa.delete(AssetTextRow).where(*own).execution_options(synchronize_session=False))
        if text is not None:
            told = {"asset_id": asset.id, "purpose": purpose, "locale": locale, "text": text}
            work.session.execute(sa.insert(AssetTextRow).values(told))
    if texts:
        _check_count(work, asset)
    return bool(texts)


def _read(given: Mapping[str, str | None], limit: int, place: str) -> dict[str, str | None]:
    found = {
        locales.tag(name, (place,)): None if text is None else line(text, limit, (place,))
        for name, text in given.items()
    }
    if len(found) != len(given):
        raise Invalid("Name each language once.", (place,), "unique")
    return found


def _near(name: str, wish: str) -> bool:
    return name.partition("-")[0] == wish.partition("-")[0]


def _check_count(work: Work, asset: AssetRow) -> None:
    counted = sa.select(sa.func.count()).where(AssetTextRow.asset_id == asset.id).group_by(AssetTextRow.purpose)
    _check_languages(max(work.session.scalars(counted), default=0))


def _check_languages(count: int) -> None:
    if count > locales.MAX_LOCALES:
        raise Invalid(f"A text has at most {locales.MAX_LOCALES} languages.", ("locale",), "length")

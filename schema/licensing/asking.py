"""A use as somebody asks about it over GraphQL: may this version be used so, there, all that time, by them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated

import strawberry

from domain.global_ids import number_of
from domain.licensing import answering
from domain.licensing.codes import Action, Alteration, CapUnit, Purpose
from domain.licensing.terms import Quantity, Request, Size, Window
from domain.work import Work
from schema.licensing import words
from schema.scalars import BigInt, Instant, Locale
from storage.types import EPOCH

assert words  # the closed lists have to have names before they are spoken of here


@strawberry.input(description="All days of a use, the first and the last included.")
class DateWindowInput:
    from_: date = strawberry.field(name="from", description="The first day.")
    to: date = strawberry.field(description="The last day; the same as the first for a single one.")
    zone: str | None = strawberry.field(
        default=None, description="Whose days they are (IANA); each licence counts them in its own zone if not said."
    )


@strawberry.input(description="How many there will be.")
class QuantityInput:
    unit: CapUnit = strawberry.field(description="Of what.")
    amount: BigInt = strawberry.field(description="From 1.")


@strawberry.input(description="How large the picture will be, by whichever measures are known.")
class UsageSizeInput:
    page_share: int | None = strawberry.field(default=None, description="Of the page, in hundredths of a per cent.")
    long_edge_mm: int | None = strawberry.field(default=None, description="Of the longer edge, in millimetres.")
    long_edge_px: int | None = strawberry.field(default=None, description="Of the longer edge, in pixels.")


@strawberry.input(
    description="One use of one version. What is left open may be anything: prohibitions may meet it, and grants that "
    "are limited there do not carry it."
)
class RightsQueryInput:
    version_id: strawberry.ID = strawberry.field(description="The version itself, not only its asset.")
    action: Action = strawberry.field(description="What is done with it.")
    channel: str = strawberry.field(description="Where it will be seen: a leaf of the channels, such as `print.flyer`.")
    territories: list[str] = strawberry.field(
        description="Countries (ISO 3166-1), their parts (3166-2), groups as of the first day, or `WORLDWIDE`."
    )
    window: DateWindowInput = strawberry.field(description="The whole time that it will be out.")
    quantity: QuantityInput | None = strawberry.field(
        default=None, description="How many; needed where a grant is limited to a number."
    )
    more_quantities: list[QuantityInput] | None = strawberry.field(
        default=None, description="How many of other units, each once."
    )
    purpose: Purpose | None = strawberry.field(default=None, description="What for.")
    party: strawberry.ID | None = strawberry.field(
        default=None, description="The organisation that will use it; the viewer's own if not said."
    )
    alterations: list[Alteration] | None = strawberry.field(default=None, description="What is done to it; as it is.")
    size: UsageSizeInput | None = strawberry.field(default=None, description="How large it will be.")
    product: strawberry.ID | None = strawberry.field(default=None, description="For which product.")
    industry: str | None = strawberry.field(default=None, description="For which trade.")
    language: Locale | None = strawberry.field(default=None, description="In which language.")
    audience: str | None = strawberry.field(default=None, description="To whom it will be shown.")
    placement: str | None = strawberry.field(default=None, description="Where on the page or in the film.")
    as_of: Instant | None = strawberry.field(
        default=None,
        description="As of which moment's knowledge, now if not said: what was said or counted later counts for "
        "nothing, and no look-alikes are proposed. INVALID for a moment to come, and where what was known is not kept.",
    )
    partial: bool = strawberry.field(
        default=False, description="Whether the outcome is that of the territories that pass, rather than of all."
    )


@strawberry.input(
    description="What something is fetched for. What is left open may be anything: prohibitions may meet it, and "
    "grants that are limited there do not carry it."
)
class UseInput:
    channel: str = strawberry.field(description="Where it will be seen: a leaf of the channels, such as `print.flyer`.")
    territories: list[str] = strawberry.field(
        description="Countries (ISO 3166-1), their parts (3166-2), groups as of the first day, or `WORLDWIDE`."
    )
    window: DateWindowInput = strawberry.field(description="The whole time that it will be out.")
    action: Action = strawberry.field(default=Action.DOWNLOAD, description="What is done with it.")
    quantity: QuantityInput | None = strawberry.field(
        default=None, description="How many; needed where a grant is limited to a number, and counted once fetched."
    )
    more_quantities: list[QuantityInput] | None = strawberry.field(
        default=None, description="How many of other units, each once."
    )
    purpose: Purpose | None = strawberry.field(default=None, description="What for.")
    party: strawberry.ID | None = strawberry.field(
        default=None, description="The organisation that will use it; the viewer's own if not said."
    )
    alterations: list[Alteration] | None = strawberry.field(default=None, description="What is done to it; as it is.")
    size: UsageSizeInput | None = strawberry.field(default=None, description="How large it will be.")
    product: strawberry.ID | None = strawberry.field(default=None, description="For which product.")
    industry: str | None = strawberry.field(default=None, description="For which trade.")
    language: Locale | None = strawberry.field(default=None, description="In which language.")
    audience: str | None = strawberry.field(default=None, description="To whom it will be shown.")
    placement: str | None = strawberry.field(default=None, description="Where on the page or in the film.")


#: What a field that gives an address takes.
Use = Annotated[
    UseInput | None,
    strawberry.argument(
        description="What it is for. Without it, whoever is at work with the asset is asked nothing; all others look "
        "at it in their own house, for as long as a licence allows."
    ),
]


@strawberry.input(description="One use in several channels and territories at once.")
class RightsMatrixInput:
    version_id: strawberry.ID = strawberry.field(description="The version itself, not only its asset.")
    action: Action = strawberry.field(description="What is done with it.")
    channels: list[str] = strawberry.field(description="Leaves of the channels, such as `print.flyer`.")
    territories: list[str] = strawberry.field(description="Each is one column; a group is decided as a whole.")
    window: DateWindowInput = strawberry.field(description="The whole time that it will be out.")
    quantity: QuantityInput | None = strawberry.field(
        default=None, description="How many; needed where a grant is limited to a number."
    )
    purpose: Purpose | None = strawberry.field(default=None, description="What for.")
    party: strawberry.ID | None = strawberry.field(
        default=None, description="The organisation that will use it; the viewer's own if not said."
    )
    alterations: list[Alteration] | None = strawberry.field(default=None, description="What is done to it; as it is.")
    size: UsageSizeInput | None = strawberry.field(default=None, description="How large it will be.")
    product: strawberry.ID | None = strawberry.field(default=None, description="For which product.")
    industry: str | None = strawberry.field(default=None, description="For which trade.")
    language: Locale | None = strawberry.field(default=None, description="In which language.")


def request_of(work: Work, given: RightsQueryInput) -> Request:
    """As the domain says it; what it says is checked when it is decided."""
    as_of = work.now if given.as_of is None else given.as_of
    return replace(_use(given, _party(work, given.party), as_of), partial=given.partial)


def use_of(work: Work, given: UseInput | None) -> Request | None:
    """The same; equal uses are equal, at whichever moment. Refused for a party that the viewer may not speak for,
    and a product that they do not see.
    """
    if given is None:
        return None
    party = _party(work, given.party)
    use = _use(given, party, EPOCH)
    answering.check(work, use)
    return use


def matrix_of(work: Work, given: RightsMatrixInput) -> Request:
    """The same for all cells; channel and territories are each cell's own."""
    return Request(
        action=given.action,
        channel="",
        territories=(),
        window=Window(given.window.from_, given.window.to),
        party=_party(work, given.party),
        as_of=work.now,
        zone=given.window.zone,
        quantities=_quantities([given.quantity] if given.quantity else []),
        purpose=given.purpose,
        alterations=_alterations(given.alterations),
        size=_size(given.size),
        product=_product(given.product),
        industry=given.industry,
        language=given.language,
    )


def _use(given: RightsQueryInput | UseInput, party: int, as_of: datetime) -> Request:
    return Request(
        action=given.action,
        channel=given.channel,
        territories=tuple(given.territories),
        window=Window(given.window.from_, given.window.to),
        party=party,
        as_of=as_of,
        zone=given.window.zone,
        quantities=_quantities([*([given.quantity] if given.quantity else []), *(given.more_quantities or [])]),
        purpose=given.purpose,
        alterations=_alterations(given.alterations),
        size=_size(given.size),
        product=_product(given.product),
        industry=given.industry,
        language=given.language,
        audience=given.audience,
        placement=given.placement,
    )


def _party(work: Work, party: strawberry.ID | None) -> int:
    return work.viewer.org_id if party is None else number_of("Organisation", party, ("party",))


def _product(product: strawberry.ID | None) -> int | None:
    return None if product is None else number_of("Product", product, ("product",))


def _quantities(given: list[QuantityInput]) -> tuple[Quantity, ...]:
    return tuple(Quantity(each.unit, each.amount) for each in given)


def _alterations(given: list[Alteration] | None) -> tuple[Alteration, ...]:
    """To be left as it is is no alteration."""
    return tuple(sorted(set(given or ()) - {Alteration.NONE}))


def _size(given: UsageSizeInput | None) -> Size | None:
    return None if given is None else Size(given.page_share, given.long_edge_mm, given.long_edge_px)

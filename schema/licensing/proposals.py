"""What the file of a version claims of its licence, and drafts made of that."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from domain.global_ids import number_of
from domain.licensing import proposals
from domain.licensing.codes import Alteration, Dimension, DutyKind, LicenseKind, MinorAge, ReleaseStatus
from domain.licensing.parties import Kind as PartyKind
from domain.licensing.proposals import Field, Role
from domain.licensing.proposals.plus import Matrix
from domain.statements import DataMining
from domain.work import Work
from schema.context import Context
from schema.errors import MutationError
from schema.fields import mutation
from schema.licensing import words
from schema.licensing.licenses import License
from schema.mutating import Answer, run
from schema.scalars import Url

_ = words  # which names the enums of licensing
strawberry.enum(Field, name="ProposalField", description="What of a licence a place in a file speaks of.")
strawberry.enum(Role, name="ProposedRole", description="Who a party is to a picture, by its file.")
strawberry.enum(Matrix, name="MediaDimension", description="What a code of the PLUS media matrix is about.")


@strawberry.type(description="Somebody whom the file names.")
class ProposedParty:
    role: Role = strawberry.field(description="Who they are to the picture.")
    name: str = strawberry.field(description='"" where only their id is known.')
    plus_id: str | None = strawberry.field(description="In the registry of the PLUS Coalition.")
    url: Url | None = strawberry.field(description="Where they are on the web.")


@strawberry.type(description="Something that the file asks of whoever uses it.")
class ProposedDuty:
    kind: DutyKind = strawberry.field(description="What is owed.")
    parameter: str | None = strawberry.field(description="The line of credit.")


@strawberry.type(description="Words that a person has to turn into grants.")
class ProposedConstraint:
    dimension: Dimension = strawberry.field(description="What they are about.")
    text: str = strawberry.field(description="As they stand in the file.")


@strawberry.type(description="One code of the PLUS media matrix.")
class ProposedItem:
    code: str = strawberry.field(description="A digit and three letters.")
    dimension: Matrix | None = strawberry.field(description="What it is about; null for a code of an unknown kind.")


@strawberry.type(description="One use that the file says was bought: all its codes together.")
class ProposedUsage:
    items: list[ProposedItem] = strawberry.field(description="In the order of the file.")


@strawberry.type(description="A place in the file that says something of its licence.")
class ProposalSource:
    field: Field = strawberry.field(description="What of the proposal it speaks of.")
    namespace: str = strawberry.field(description="Where it stands, as `metadata` names it.")
    name: str = strawberry.field(description="Its name there.")
    text: str = strawberry.field(description="What it says, without ways to reach anybody.")
    unread: str | None = strawberry.field(description="Why it could not be taken over; null where it was.")


@strawberry.type(description="A claim by whoever wrote the file, never a right: nothing is granted by it.")
class LicenseProposal:
    kind: LicenseKind = strawberry.field(description="UNKNOWN where the file does not say, or contradicts itself.")
    code: str | None = strawberry.field(description="Of a public licence, such as `CC-BY-SA-4.0`.")
    terms_url: Url | None = strawberry.field(description="Where its text stands.")
    web_statement: Url | None = strawberry.field(description="Where the picture's rights are explained.")
    terms: str | None = strawberry.field(description="How it may be used.")
    credit: str | None = strawberry.field(description="The line that is printed beside it.")
    notice: str | None = strawberry.field(description="The copyright notice.")
    license_id: str | None = strawberry.field(description="What the licensor calls the licence.")
    item_id: str | None = strawberry.field(description="What the supplier calls the picture.")
    order_ref: str | None = strawberry.field(description="The order by which it came.")
    transacted_on: date | None = strawberry.field(description="When it was bought.")
    starts_on: date | None = strawberry.field(description="The first day; of several, the latest.")
    ends_on: date | None = strawberry.field(description="The last day; of several, the earliest.")
    data_mining: DataMining | None = strawberry.field(description="Whether machines may learn from it.")
    model_release: ReleaseStatus | None = strawberry.field(description="What those in the picture are said to allow.")
    property_release: ReleaseStatus | None = strawberry.field(description="The same of whose things are in it.")
    minor_age: MinorAge | None = strawberry.field(description="The age of the youngest in it.")
    parties: list[ProposedParty] = strawberry.field(description="Whom it names.")
    duties: list[ProposedDuty] = strawberry.field(description="What it asks for.")
    alterations: list[Alteration] = strawberry.field(description="What must not be done to it.")
    usages: list[ProposedUsage] = strawberry.field(description="Uses that were bought, by the PLUS media summary code.")
    constraints: list[ProposedConstraint] = strawberry.field(description="What a person has to turn into grants.")
    sources: list[ProposalSource] = strawberry.field(description="Every place that says any of this.")

    @classmethod
    def of(cls, found: proposals.LicenseProposal) -> LicenseProposal:
        plain: dict[str, Any] = {name: getattr(found, name) or None for name in _TEXTS}
        plain |= {name: getattr(found, name) for name in _PLAIN}
        return cls(
            **plain,
            parties=[
                ProposedParty(role=each.role, name=each.name, plus_id=each.plus_id or None, url=Url(each.url) or None)
                for each in found.parties
            ],
            duties=[ProposedDuty(kind=each.kind, parameter=each.parameter) for each in found.duties],
            alterations=list(found.alterations),
            usages=[_usage(each) for each in found.usages.usages] if found.usages else [],
            constraints=[ProposedConstraint(dimension=each.dimension, text=each.text) for each in found.constraints],
            sources=[
                *(_source(each, None) for each in found.sources),
                *(_source(each.source, each.sentence) for each in found.unread),
            ],
        )


@strawberry.input(description="A draft licence from what the file of a version claims.")
class LicenseFromProposalInput:
    version: strawberry.ID = strawberry.field(description="The draft is for this version alone.")
    title: str | None = strawberry.field(default=None, description="The asset's, with a word on where it comes from.")
    starts_on: date | None = strawberry.field(
        default=None, description="Its first day, instead of the file's; where neither says one, today."
    )
    licensor: strawberry.ID | None = strawberry.field(
        default=None, description="A party, instead of the one that the file names."
    )
    licensor_kind: PartyKind = strawberry.field(
        default=PartyKind.PERSON,
        description="Of the licensor that the file names, where no party has that name yet and one is made.",
    )
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`license` is null exactly when `errors` is not empty.")
class LicenseFromProposalPayload:
    license: License | None
    errors: list[MutationError]
    client_mutation_id: str | None = None


@strawberry.type
class ProposalMutations:
    @mutation(
        "Makes a draft licence of what a file claims, with the version under it. It grants nothing before somebody "
        "activates it; what is no grant stands in it in words. Needs LICENSE_MANAGE."
    )
    def license_from_proposal(
        self, info: strawberry.Info[Context], input: LicenseFromProposalInput
    ) -> LicenseFromProposalPayload:
        def act(work: Work) -> Answer:
            version = number_of("AssetVersion", input.version, ("version",))
            licensor = None if input.licensor is None else number_of("Party", input.licensor, ("licensor",))
            wish = proposals.Wish(input.title, input.starts_on, licensor, input.licensor_kind)
            return {"license": ("License", proposals.draft(work, version, wish).id)}

        return run(info, input, LicenseFromProposalPayload, act)


_TEXTS = ("code", "terms_url", "web_statement", "terms", "credit", "notice", "license_id", "item_id", "order_ref")
_PLAIN = (
    *("kind", "transacted_on", "starts_on", "ends_on", "data_mining"),
    *("model_release", "property_release", "minor_age"),
)


def _usage(items: Any) -> ProposedUsage:
    return ProposedUsage(items=[ProposedItem(code=each.code, dimension=each.dimension) for each in items])


def _source(found: proposals.Source, unread: str | None) -> ProposalSource:
    return ProposalSource(field=found.field, namespace=found.namespace, name=found.name, text=found.text, unread=unread)

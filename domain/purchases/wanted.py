"""What somebody wants to buy, and why it is not bought: the words that checking and asking share."""

from __future__ import annotations

from dataclasses import dataclass

from domain.money import Money
from domain.refusals import Refusal


@dataclass(frozen=True)
class Wanted:
    """A picture at a supplier, under one tier of its terms.

    `preview` is the digest of the supplier's preview. `acknowledged` are assets that look alike and were looked at.
    """

    supplier_id: int
    item: str
    tier: str
    preview: str | None = None
    title: str | None = None
    fee: Money | None = None
    acknowledged: frozenset[int] = frozenset()


class AlreadyRequested(Refusal):
    """Somebody was faster; `purchase_id` is theirs, None where the viewer may not see it."""

    code = "ALREADY_REQUESTED"

    def __init__(self, purchase_id: int | None) -> None:
        super().__init__("This picture is being bought already, under the same terms.", ("item",))
        self.purchase_id = purchase_id
        self.license_id: int | None = None


class AlreadyLicensed(Refusal):
    """There is a licence for it, by this purchase."""

    code = "ALREADY_LICENSED"

    def __init__(self, purchase_id: int, license_id: int) -> None:
        super().__init__("There is a licence for this picture that serves.", ("item",))
        self.purchase_id = purchase_id
        self.license_id = license_id


class LooksAlike(Refusal):
    """Pictures here look like it, and nobody said that they were looked at: `asset_ids`, which the viewer sees."""

    code = "LOOKS_ALIKE"

    def __init__(self, asset_ids: tuple[int, ...]) -> None:
        sentence = "Pictures that are here look like it: look at them, and name those that do not serve."
        super().__init__(sentence, ("acknowledged",))
        self.asset_ids = asset_ids

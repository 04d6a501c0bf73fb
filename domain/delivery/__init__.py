"""The one door for bytes: which address opens which bytes, for how long, and under which name.

An address is a signed statement: it names one row, the digest that row must hold, and for whom, and with which token,
it was made. It works while the row still stands, holds exactly those bytes, and they may still see it with that token,
from where it is opened: so nothing that was replaced, removed or taken from them is delivered, and no address outlives
or outreaches the token it was made with. A stable address, and what it leads to, needs more: that also the organisation
of whoever made it sees the asset approved; it goes on with the successors of its token, and from a session it is the
person's own. Whatever an address says, nothing leaves of what was taken down or is under embargo. And to whoever is not
at work with the asset it is given out, and opens, by a kept decision on what it is for: as long as that is licensed.

`minting` signs, `opening` opens, `bars` knows what is kept in, `leave` who needs a decision, and `deciding` makes it.
"""

from __future__ import annotations

from domain.delivery.bars import Barred, barred
from domain.delivery.deciding import Draft, Undecided, keep, unlicensed
from domain.delivery.deciding import of as leaves
from domain.delivery.leave import AT_WORK, Leave
from domain.delivery.minting import (
    SignedUrl,
    Signing,
    addresses,
    export_url,
    latest_url,
    may_last,
    minted_since,
    original_url,
    original_urls,
    rendition_url,
    rendition_urls,
)
from domain.delivery.opening import Admitted, Delivery, Taken, Way, admitted, digest_of, downloadable, latest, open_door

__all__ = [
    "AT_WORK",
    "Admitted",
    "Barred",
    "Delivery",
    "Draft",
    "Leave",
    "SignedUrl",
    "Signing",
    "Taken",
    "Undecided",
    "Way",
    "addresses",
    "admitted",
    "barred",
    "digest_of",
    "downloadable",
    "export_url",
    "keep",
    "latest",
    "latest_url",
    "leaves",
    "may_last",
    "minted_since",
    "open_door",
    "original_url",
    "original_urls",
    "rendition_url",
    "rendition_urls",
    "unlicensed",
]

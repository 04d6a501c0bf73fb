"""People and service accounts: naming them, shutting them out and letting them in again, finding and listing them.

A guest is neither: nobody but whoever made their link knows of them. An e-mail address belongs to one person in the
whole hub, however it is written.
"""

from __future__ import annotations

from domain.people.changing import (
    Invited,
    create_service_account,
    disable,
    enable,
    invite,
    invite_again,
    rename,
    viewer_can,
)
from domain.people.listing import (
    Order,
    OrderField,
    State,
    Text,
    Where,
    by_id,
    count,
    counts_in_organisations,
    counts_in_teams,
    in_organisations,
    in_teams,
    may_see_email,
    page,
    persons_by_id,
    services_by_id,
    states,
)

__all__ = [
    "Invited",
    "Order",
    "OrderField",
    "State",
    "Text",
    "Where",
    "by_id",
    "count",
    "counts_in_organisations",
    "counts_in_teams",
    "create_service_account",
    "disable",
    "enable",
    "in_organisations",
    "in_teams",
    "invite",
    "invite_again",
    "may_see_email",
    "page",
    "persons_by_id",
    "rename",
    "services_by_id",
    "states",
    "viewer_can",
]

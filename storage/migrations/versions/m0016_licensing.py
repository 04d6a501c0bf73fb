"""Parties, licences and their grants, releases, what is assessed of assets, embargoes and takedowns.

Triggers keep the records (what is active or signed is not rewritten, nothing goes) and count, on each asset, every
change to what a decision on it may read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.migrations.triggers import licensing
from storage.types import Folded, Id, Instant, Json

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("asset", sa.Column("rights_epoch", Id, server_default="0", nullable=False))
    _parties()
    _licenses()
    _assessing()
    _standing()
    for statement in licensing.on_postgres() if op.get_bind().dialect.name == "postgresql" else licensing.on_sqlite():
        op.execute(statement)


def _parties() -> None:
    _made(
        "party",
        ids="org_id created_by revision",
        texts="kind name plus_id? email? url? country?",
        folded="name_folded",
        instants="created_at updated_at archived_at?",
        refs={"organisation": "org_id", "principal": "created_by"},
        words={"kind": "PERSON ORGANISATION"},
    )
    _index("ix_party_name", "party", "org_id name_folded id")
    _made(
        "release",
        ids="org_id subject_party_id signed_document_id? created_by revoked_by? revision",
        texts="number kind status minor_age? zone",
        flags="guardian",
        days="starts_on? ends_on? groups_as_of? signed_on?",
        instants="created_at revoked_at?",
        refs={
            "organisation": "org_id",
            "party": "subject_party_id",
            "asset": "signed_document_id",
            "principal": "created_by revoked_by",
        },
        words={
            "kind": "MODEL MINOR PROPERTY TRADEMARK ARTWORK TALENT",
            "minor_age": "AG-UNK AG-A25 AG-A24 AG-A23 AG-A22 AG-A21 AG-A20 AG-A19 AG-A18 AG-A17 AG-A16 AG-A15 AG-U14",
            "status": "NON NAP UNLIMITED LIMITED",
        },
        checks={"revoked": "(revoked_at IS NULL) = (revoked_by IS NULL)", "window": "ends_on >= starts_on"},
        uniques=("org_id number",),
    )
    _index("ix_release_document", "release", "signed_document_id", "signed_document_id IS NOT NULL")
    _index("ix_release_subject", "release", "subject_party_id")


def _licenses() -> None:
    _made(
        "license",
        ids=(
            "org_id licensor_id? licensee_org_id? seats? fee_minor? document_asset_id? "
            "supersedes_id? created_by revision"
        ),
        texts=(
            "number title kind code? status zone fee_currency? supplier_item_id? order_ref? terms_url? plus_license_id?"
        ),
        lists="end_user_org_ids free_text",
        days="starts_on ends_on? transaction_date? groups_as_of?",
        flags="sublicensable",
        instants="created_at updated_at activated_at?",
        refs={
            "organisation": "org_id licensee_org_id",
            "party": "licensor_id",
            "asset": "document_asset_id",
            "license": "supersedes_id",
            "principal": "created_by",
        },
        words={
            "kind": (
                "OWNED COMMISSIONED ROYALTY_FREE ROYALTY_FREE_EXTENDED RIGHTS_MANAGED EDITORIAL "
                "CREATIVE_COMMONS PUBLIC_DOMAIN MUSIC_SYNC TALENT FONT LIST UNKNOWN"
            ),
            "status": "DRAFT ACTIVE SUSPENDED TERMINATED",
        },
        checks={
            "activated": "(status = 'DRAFT') = (activated_at IS NULL)",
            "fee": "(fee_minor IS NULL) = (fee_currency IS NULL) AND fee_minor >= 0",
            "seats": "seats >= 1",
            "supersedes": "supersedes_id <> id",
            "window": "ends_on >= starts_on",
        },
        uniques=(
            "org_id number",
            "supersedes_id",
        ),
    )
    _index("ix_license_document", "license", "document_asset_id", "document_asset_id IS NOT NULL")
    _index("ix_license_ends", "license", "org_id ends_on id", "ends_on IS NOT NULL")
    _index("ix_license_licensor", "license", "licensor_id")
    _index("uq_license_title", "license", "org_id title", "status IN ('ACTIVE', 'SUSPENDED')", unique=True)
    _made(
        "license_grant",
        ids="license_id? release_id? number max_page_share? max_edge_mm? max_edge_px?",
        texts="effect",
        lists=(
            "actions channels territories territories_except purposes audiences industries "
            "products languages placements alterations"
        ),
        days="starts_on? ends_on?",
        refs={"license": "license_id", "release": "release_id"},
        words={"effect": "PERMIT PROHIBIT"},
        checks={
            "holder": "(license_id IS NULL) <> (release_id IS NULL)",
            "size": "max_page_share BETWEEN 1 AND 10000 AND max_edge_mm >= 1 AND max_edge_px >= 1",
            "window": "ends_on >= starts_on",
        },
        uniques=(
            "license_id number",
            "release_id number",
        ),
    )
    _made(
        "grant_cap",
        ids="grant_id at_most used reserved",
        texts="unit per",
        refs={"license_grant": "grant_id"},
        words={
            "per": "TOTAL DAY MONTH YEAR",
            "unit": "COPIES IMPRESSIONS DISPLAYS PLACEMENTS SEATS VIEWS INSERTIONS PIECES",
        },
        checks={"kept": "used + reserved <= at_most", "signs": "at_most >= 0 AND used >= 0 AND reserved >= 0"},
        uniques=("grant_id unit per",),
    )
    _made(
        "grant_duty",
        ids="grant_id",
        texts="kind parameter?",
        lists="actions",
        refs={"license_grant": "grant_id"},
        words={
            "kind": (
                "CREDIT_ADJACENT CREDIT_ON_IMAGE CREDIT_AREA LINK_LICENSE INDICATE_CHANGES "
                "KEEP_METADATA KEEP_FILENAME SHARE_ALIKE NOTIFY_LICENSOR PAY_PER_USE APPROVAL_BY "
                "DISCLAIMER"
            )
        },
    )
    _index("ix_grant_duty_grant", "grant_duty", "grant_id kind")
    _made(
        "license_seat",
        ids="license_id org_id assigned_by",
        instants="assigned_at released_at?",
        refs={"license": "license_id", "organisation": "org_id", "principal": "assigned_by"},
    )
    _index("uq_license_seat_held", "license_seat", "license_id org_id", "released_at IS NULL", unique=True)


def _assessing() -> None:
    _made(
        "asset_rights",
        ids="org_id asset_id version_id? license_id? release_id? assessed_by",
        texts="coverage ending?",
        instants="assessed_at ended_at?",
        flags="recognisable_people? recognisable_property?",
        refs={
            "organisation": "org_id",
            "asset": "asset_id",
            "asset_version": "version_id",
            "license": "license_id",
            "release": "release_id",
            "principal": "assessed_by",
        },
        words={"coverage": "WHOLE COMPONENT", "ending": "WITHDRAWN SUPERSEDED MERGED"},
        checks={
            "ended": "(ended_at IS NULL) = (ending IS NULL)",
            "subject": "license_id IS NULL OR release_id IS NULL",
        },
    )
    _index("ix_asset_rights_asset", "asset_rights", "asset_id", "ended_at IS NULL")
    _index("ix_asset_rights_license", "asset_rights", "license_id asset_id", "ended_at IS NULL")
    _index("ix_asset_rights_release", "asset_rights", "release_id asset_id", "ended_at IS NULL")
    _index("ix_asset_rights_version", "asset_rights", "version_id", "version_id IS NOT NULL")
    _index(
        "uq_asset_rights_license",
        "asset_rights",
        "asset_id license_id",
        "ended_at IS NULL AND version_id IS NULL AND license_id IS NOT NULL",
        unique=True,
    )
    _index(
        "uq_asset_rights_release",
        "asset_rights",
        "asset_id release_id",
        "ended_at IS NULL AND version_id IS NULL AND release_id IS NOT NULL",
        unique=True,
    )
    _index(
        "uq_asset_rights_version_license",
        "asset_rights",
        "version_id license_id",
        "ended_at IS NULL AND version_id IS NOT NULL AND license_id IS NOT NULL",
        unique=True,
    )
    _index(
        "uq_asset_rights_version_release",
        "asset_rights",
        "version_id release_id",
        "ended_at IS NULL AND version_id IS NOT NULL AND release_id IS NOT NULL",
        unique=True,
    )
    _made(
        "component",
        ids="composite_version_id part_version_id created_by",
        instants="created_at",
        refs={"asset_version": "composite_version_id part_version_id", "principal": "created_by"},
        checks={"itself": "composite_version_id <> part_version_id"},
    )
    _index("ix_component_part", "component", "part_version_id")
    _index("uq_component_part", "component", "composite_version_id part_version_id", unique=True)


def _standing() -> None:
    _made(
        "territory_group",
        ids="org_id created_by revision",
        texts="code name",
        instants="created_at",
        refs={"organisation": "org_id", "principal": "created_by"},
        uniques=("org_id code",),
    )
    _made(
        "territory_group_member",
        ids="group_id",
        texts="territory",
        days="first_on? last_on?",
        refs={"territory_group": "group_id"},
        checks={"window": "last_on >= first_on"},
    )
    _index("ix_territory_group_member_group", "territory_group_member", "group_id territory first_on")
    _made(
        "embargo",
        ids="org_id asset_id placed_by lifted_by?",
        instants="starts_at? ends_at? placed_at lifted_at?",
        texts="legal_ref?",
        refs={"organisation": "org_id", "asset": "asset_id", "principal": "placed_by lifted_by"},
        checks={"lifted": "(lifted_at IS NULL) = (lifted_by IS NULL)", "window": "ends_at > starts_at"},
    )
    _index("ix_embargo_asset", "embargo", "asset_id", "lifted_at IS NULL")
    _made(
        "takedown",
        ids="org_id asset_id opened_by enforced_by? lifted_by? revision",
        texts="status legal_ref?",
        instants="opened_at enforced_at? lifted_at?",
        refs={"organisation": "org_id", "asset": "asset_id", "principal": "opened_by enforced_by lifted_by"},
        words={"status": "OPEN ENFORCED LIFTED"},
        checks={
            "enforced": "status <> 'ENFORCED' OR enforced_at IS NOT NULL",
            "lifted": "(status = 'LIFTED') = (lifted_at IS NOT NULL)",
            "lifter": "(lifted_at IS NULL) = (lifted_by IS NULL)",
        },
    )
    _index("ix_takedown_asset", "takedown", "asset_id", "status <> 'LIFTED'")
    _index("ix_takedown_org", "takedown", "org_id id")
    _made(
        "exclusivity",
        ids="org_id asset_id holder_org_id created_by ended_by?",
        texts="direction zone",
        lists="channels territories industries",
        days="starts_on? ends_on? groups_as_of?",
        instants="created_at ended_at?",
        refs={"organisation": "org_id holder_org_id", "asset": "asset_id", "principal": "created_by ended_by"},
        words={"direction": "OUTGOING INCOMING"},
        checks={"ended": "(ended_at IS NULL) = (ended_by IS NULL)", "window": "ends_on >= starts_on"},
    )
    _index("ix_exclusivity_asset", "exclusivity", "asset_id", "ended_at IS NULL")


def _made(
    table: str,
    *,
    refs: Mapping[str, str],
    words: Mapping[str, str] | None = None,
    checks: Mapping[str, str] | None = None,
    uniques: tuple[str, ...] = (),
    **columns: str,
) -> None:
    """`columns` by kind, those ending in ? nullable; `refs` by table; `words` are closed sets."""
    told = [("id", "id")] + [(kind, name) for kind, names in columns.items() for name in names.split()]
    op.create_table(
        table,
        *(_column(kind, name) for kind, name in told),
        *(
            sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}"))
            for other, names in refs.items()
            for name in names.split()
        ),
        *(_one_of(table, column, values.split()) for column, values in (words or {}).items()),
        *(sa.CheckConstraint(told, name=op.f(f"ck_{table}_{name}")) for name, told in (checks or {}).items()),
        *(sa.UniqueConstraint(*each.split(), name=op.f(f"uq_{table}_{each.replace(' ', '_')}")) for each in uniques),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


#: By kind of column.
_TYPES: Mapping[str, Any] = {
    "id": Id,
    "ids": Id,
    "texts": sa.Text(),
    "folded": Folded,
    "days": sa.Date(),
    "instants": Instant(),
    "flags": sa.Boolean(),
    "lists": Json,
}


def _column(kind: str, name: str) -> sa.Column[Any]:
    return sa.Column(name.removesuffix("?"), _TYPES[kind], nullable=name.endswith("?"))


def _one_of(table: str, column: str, values: list[str]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def _index(name: str, table: str, columns: str, condition: str | None = None, *, unique: bool = False) -> None:
    told = None if condition is None else sa.text(condition)
    op.create_index(name, table, columns.split(), unique=unique, sqlite_where=told, postgresql_where=told)

"""Decisions that were relied on, reservations, and the register of usage."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from storage.types import Id, Instant, Json

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

#: What a use is about stays as it was reserved.
RESERVED = (
    *(
        "id",
        "org_id",
        "version_id",
        "decision_id",
        "action",
        "channel",
        "territories",
        "starts_on",
        "ends_on",
        "zone",
        "source",
    ),
    *("reference", "reserved_at", "reserved_by", "expires_at"),
)
REWRITTEN = " OR ".join(
    [f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in RESERVED]
    + ["OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at"]
)
AGAIN = (
    "OLD.phase <> 'RESERVED' AND (NEW.phase <> OLD.phase OR NEW.resolved_at IS DISTINCT FROM OLD.resolved_at "
    "OR NEW.resolved_by IS DISTINCT FROM OLD.resolved_by "
    "OR NEW.further_decision_id IS DISTINCT FROM OLD.further_decision_id)"
)
#: A resolution is one of the very reservation that it names.
ASTRAY = (
    "NEW.reservation_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM usage_record AS first "
    "WHERE first.id = NEW.reservation_id AND first.phase = 'RESERVED' AND first.usage_id = NEW.usage_id "
    "AND first.version_id = NEW.version_id AND first.grant_id = NEW.grant_id "
    "AND first.cap_id IS NOT DISTINCT FROM NEW.cap_id "
    "AND first.period_starts_on IS NOT DISTINCT FROM NEW.period_starts_on)"
)
PERIOD = (
    "NEW.cap_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM grant_cap WHERE grant_cap.id = NEW.cap_id "
    "AND grant_cap.grant_id = NEW.grant_id AND grant_cap.unit = NEW.unit "
    "AND (grant_cap.per = 'TOTAL') = (NEW.period_starts_on IS NULL))"
)
#: What takes the place of a licence goes on counting where that one stopped, by period: against the cap of the same
#: unit in the grant of the same number, where there is none against every such cap.
SUCCEEDS = "NEW.supersedes_id IS NOT NULL AND OLD.status = 'DRAFT' AND NEW.status = 'ACTIVE'"
SPENT = (
    "FROM license_grant AS old_grant JOIN grant_cap AS old_cap ON old_cap.grant_id = old_grant.id "
    "JOIN grant_cap_period AS spent ON spent.cap_id = old_cap.id"
)
RESERVED_YET = f"EXISTS (SELECT 1 {SPENT} WHERE old_grant.license_id = NEW.supersedes_id AND spent.reserved > 0)"
CARRIED = (
    "INSERT INTO grant_cap_period (cap_id, starts_on, at_most, used, reserved) "  # noqa: S608  # constants of ours
    f"SELECT cap.id, spent.starts_on, cap.at_most, max(spent.used), 0 {SPENT} "
    "JOIN license_grant AS fresh ON fresh.license_id = NEW.id "
    "JOIN grant_cap AS cap ON cap.grant_id = fresh.id AND cap.unit = old_cap.unit AND cap.per = old_cap.per "
    "WHERE old_grant.license_id = NEW.supersedes_id AND spent.used > 0 AND (old_grant.number = fresh.number "
    "OR NOT EXISTS (SELECT 1 FROM license_grant AS same JOIN grant_cap AS same_cap ON same_cap.grant_id = same.id "
    "WHERE same.license_id = NEW.supersedes_id AND same.number = fresh.number AND same_cap.unit = cap.unit "
    "AND same_cap.per = cap.per)) GROUP BY cap.id, spent.starts_on, cap.at_most;"
)
#: Name, when, what is refused, in which words.
REFUSED = (
    ("usage_rewritten", "UPDATE ON usage", REWRITTEN, "a use never changes"),
    ("usage_again", "UPDATE ON usage", AGAIN, "a use is resolved once"),
    ("usage_begun", "INSERT ON usage", "NEW.phase <> 'RESERVED'", "a use begins as a reservation"),
    ("usage_deleted", "DELETE ON usage", "", "a use is never deleted"),
    ("usage_record_astray", "INSERT ON usage_record", ASTRAY, "this resolves no such reservation"),
    ("usage_record_period", "INSERT ON usage_record", PERIOD, "this is not how the cap counts"),
    ("usage_record_rewritten", "UPDATE ON usage_record", "", "a record of usage never changes"),
    ("usage_record_deleted", "DELETE ON usage_record", "", "a record of usage is never deleted"),
    (
        "usage_succeeded",
        "UPDATE ON license",
        f"{SUCCEEDS} AND {RESERVED_YET}",
        "something is reserved under the licence that this supersedes",
    ),
    ("usage_alert_rewritten", "UPDATE ON usage_alert", "", "what was told stays told"),
    ("usage_alert_deleted", "DELETE ON usage_alert", "", "what was told stays told"),
    ("rights_decision_rewritten", "UPDATE ON rights_decision", "", "a decision never changes"),
    ("rights_decision_deleted", "DELETE ON rights_decision", "", "a decision is never deleted"),
)
#: Counters are what the records add up to.
CHANGE = (
    "reserved = reserved + CASE WHEN NEW.phase = 'RESERVED' THEN NEW.quantity ELSE "
    "-(SELECT first.quantity FROM usage_record AS first WHERE first.id = NEW.reservation_id) END, "
    "used = used + CASE WHEN NEW.phase = 'ACTUAL' THEN NEW.quantity ELSE 0 END"
)
COUNTED = (
    f"UPDATE grant_cap SET {CHANGE} WHERE id = NEW.cap_id AND NEW.period_starts_on IS NULL;",  # noqa: S608  # ours
    (
        "INSERT INTO grant_cap_period (cap_id, starts_on, at_most, used, reserved) "
        "SELECT grant_cap.id, NEW.period_starts_on, grant_cap.at_most, 0, 0 FROM grant_cap "
        "WHERE grant_cap.id = NEW.cap_id AND NEW.period_starts_on IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM grant_cap_period AS there WHERE there.cap_id = NEW.cap_id "
        "AND there.starts_on = NEW.period_starts_on);"
    ),
    (
        f"UPDATE grant_cap_period SET {CHANGE} "  # noqa: S608  # a constant of ours
        "WHERE cap_id = NEW.cap_id AND starts_on = NEW.period_starts_on;"
    ),
)


def upgrade() -> None:
    op.create_table(
        "rights_decision",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("version_id", Id, nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("request", Json, nullable=False),
        sa.Column("explanation", Json, nullable=False),
        sa.Column("policy_digest", sa.Text(), nullable=False),
        sa.Column("epoch", Id, nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.Column("decided_by", Id, nullable=True),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.CheckConstraint("mode IN ('RESERVE', 'DELIVER')", name=op.f("ck_rights_decision_mode")),
        sa.ForeignKeyConstraint(["decided_by"], ["principal.id"], name=op.f("fk_rights_decision_decided_by")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_rights_decision_org_id")),
        sa.ForeignKeyConstraint(["version_id"], ["asset_version.id"], name=op.f("fk_rights_decision_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rights_decision")),
    )
    op.create_index("ix_rights_decision_org", "rights_decision", ["org_id", "id"], unique=False)
    op.create_index("ix_rights_decision_version", "rights_decision", ["version_id", "id"], unique=False)
    op.create_table(
        "usage",
        sa.Column("id", Id, nullable=False),
        sa.Column("org_id", Id, nullable=False),
        sa.Column("version_id", Id, nullable=False),
        sa.Column("decision_id", Id, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("territories", Json, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("reserved_at", Instant(), nullable=False),
        sa.Column("reserved_by", Id, nullable=True),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("further_decision_id", Id, nullable=True),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.Column("resolved_by", Id, nullable=True),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.CheckConstraint("(phase = 'RESERVED') = (resolved_at IS NULL)", name=op.f("ck_usage_resolved")),
        sa.CheckConstraint("phase IN ('RESERVED', 'ACTUAL', 'VOID')", name=op.f("ck_usage_phase")),
        sa.CheckConstraint("source IN ('MANUAL', 'DELIVERY')", name=op.f("ck_usage_source")),
        sa.CheckConstraint("withdrawn_at IS NULL OR phase = 'ACTUAL'", name=op.f("ck_usage_withdrawn")),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_usage_window")),
        sa.ForeignKeyConstraint(["decision_id"], ["rights_decision.id"], name=op.f("fk_usage_decision_id")),
        sa.ForeignKeyConstraint(
            ["further_decision_id"], ["rights_decision.id"], name=op.f("fk_usage_further_decision_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_usage_org_id")),
        sa.ForeignKeyConstraint(["reserved_by"], ["principal.id"], name=op.f("fk_usage_reserved_by")),
        sa.ForeignKeyConstraint(["resolved_by"], ["principal.id"], name=op.f("fk_usage_resolved_by")),
        sa.ForeignKeyConstraint(["version_id"], ["asset_version.id"], name=op.f("fk_usage_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage")),
    )
    op.create_index("ix_usage_org", "usage", ["org_id", "id"], unique=False)
    op.create_index(
        "ix_usage_running",
        "usage",
        ["ends_on", "id"],
        unique=False,
        sqlite_where=sa.text("phase <> 'VOID' AND withdrawn_at IS NULL"),
        postgresql_where=sa.text("phase <> 'VOID' AND withdrawn_at IS NULL"),
    )
    op.create_index(
        "ix_usage_timeout",
        "usage",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("phase = 'RESERVED'"),
        postgresql_where=sa.text("phase = 'RESERVED'"),
    )
    op.create_index("ix_usage_version", "usage", ["version_id", "id"], unique=False)
    op.create_table(
        "usage_record",
        sa.Column("id", Id, nullable=False),
        sa.Column("usage_id", Id, nullable=False),
        sa.Column("version_id", Id, nullable=False),
        sa.Column("license_id", Id, nullable=True),
        sa.Column("grant_id", Id, nullable=False),
        sa.Column("cap_id", Id, nullable=True),
        sa.Column("period_starts_on", sa.Date(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("quantity", Id, nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("reservation_id", Id, nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", Id, nullable=True),
        sa.CheckConstraint("(phase = 'RESERVED') = (reservation_id IS NULL)", name=op.f("ck_usage_record_reservation")),
        sa.CheckConstraint("phase IN ('RESERVED', 'ACTUAL', 'VOID')", name=op.f("ck_usage_record_phase")),
        sa.CheckConstraint("(cap_id IS NULL) = (unit IS NULL)", name=op.f("ck_usage_record_unit")),
        sa.CheckConstraint("cap_id IS NOT NULL OR period_starts_on IS NULL", name=op.f("ck_usage_record_period")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_usage_record_quantity")),
        sa.ForeignKeyConstraint(["cap_id"], ["grant_cap.id"], name=op.f("fk_usage_record_cap_id")),
        sa.ForeignKeyConstraint(["grant_id"], ["license_grant.id"], name=op.f("fk_usage_record_grant_id")),
        sa.ForeignKeyConstraint(["license_id"], ["license.id"], name=op.f("fk_usage_record_license_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["principal.id"], name=op.f("fk_usage_record_recorded_by")),
        sa.ForeignKeyConstraint(["reservation_id"], ["usage_record.id"], name=op.f("fk_usage_record_reservation_id")),
        sa.ForeignKeyConstraint(["usage_id"], ["usage.id"], name=op.f("fk_usage_record_usage_id")),
        sa.ForeignKeyConstraint(["version_id"], ["asset_version.id"], name=op.f("fk_usage_record_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_record")),
        sa.UniqueConstraint("reservation_id", name=op.f("uq_usage_record_reservation_id")),
    )
    op.create_index(
        "ix_usage_record_cap",
        "usage_record",
        ["cap_id", "id"],
        unique=False,
        sqlite_where=sa.text("cap_id IS NOT NULL"),
        postgresql_where=sa.text("cap_id IS NOT NULL"),
    )
    op.create_index("ix_usage_record_license", "usage_record", ["license_id", "usage_id"], unique=False)
    op.create_index("ix_usage_record_usage", "usage_record", ["usage_id", "id"], unique=False)
    op.create_table(
        "grant_cap_period",
        sa.Column("cap_id", Id, autoincrement=False, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("at_most", Id, nullable=False),
        sa.Column("used", Id, nullable=False),
        sa.Column("reserved", Id, nullable=False),
        sa.CheckConstraint("used + reserved <= at_most", name=op.f("ck_grant_cap_period_kept")),
        sa.CheckConstraint("used >= 0 AND reserved >= 0", name=op.f("ck_grant_cap_period_signs")),
        sa.ForeignKeyConstraint(["cap_id"], ["grant_cap.id"], name=op.f("fk_grant_cap_period_cap_id")),
        sa.PrimaryKeyConstraint("cap_id", "starts_on", name=op.f("pk_grant_cap_period")),
    )
    op.create_table(
        "usage_alert",
        sa.Column("usage_id", Id, autoincrement=False, nullable=False),
        sa.Column("license_id", Id, autoincrement=False, nullable=False),
        sa.Column("days", Id, autoincrement=False, nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["license_id"], ["license.id"], name=op.f("fk_usage_alert_license_id")),
        sa.ForeignKeyConstraint(["usage_id"], ["usage.id"], name=op.f("fk_usage_alert_usage_id")),
        sa.PrimaryKeyConstraint("usage_id", "license_id", "days", "ends_on", name=op.f("pk_usage_alert")),
    )
    op.create_index("ix_usage_alert_license", "usage_alert", ["license_id"], unique=False)
    for statement in _on_postgres() if op.get_bind().dialect.name == "postgresql" else _on_sqlite():
        op.execute(statement)


def _on_sqlite() -> Iterator[str]:
    for name, when, broken, sentence in REFUSED:
        raised = f"SELECT RAISE(ABORT, '{sentence}');"
        yield f"CREATE TRIGGER {name} BEFORE {when} WHEN {broken or '1'} BEGIN {raised} END"
    counted = " ".join(COUNTED)
    yield f"CREATE TRIGGER usage_counted AFTER INSERT ON usage_record WHEN NEW.cap_id IS NOT NULL BEGIN {counted} END"
    yield f"CREATE TRIGGER usage_carried AFTER UPDATE ON license WHEN {SUCCEEDS} BEGIN {CARRIED} END"


def _on_postgres() -> Iterator[str]:
    for name, when, broken, sentence in REFUSED:
        yield f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF {broken or "TRUE"} THEN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation'; END IF;
              RETURN NEW;
            END $$"""
        yield f"CREATE TRIGGER {name} BEFORE {when} FOR EACH ROW EXECUTE FUNCTION {name}()"
    counted = " ".join(COUNTED)
    yield f"""CREATE FUNCTION usage_counted() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.cap_id IS NOT NULL THEN {counted} END IF;
          RETURN NULL;
        END $$"""
    yield "CREATE TRIGGER usage_counted AFTER INSERT ON usage_record FOR EACH ROW EXECUTE FUNCTION usage_counted()"
    yield f"""CREATE FUNCTION usage_carried() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF {SUCCEEDS} THEN {CARRIED} END IF;
          RETURN NULL;
        END $$"""
    yield "CREATE TRIGGER usage_carried AFTER UPDATE ON license FOR EACH ROW EXECUTE FUNCTION usage_carried()"

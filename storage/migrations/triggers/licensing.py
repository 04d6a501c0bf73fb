"""The triggers of licensing, as migration 0016 made them; a later change is another migration's.

What they refuse holds for every writer there is, and so does what they count: `asset.rights_epoch` moves with every row
that a decision on the asset's rights may read, in the transaction that changes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

#: What makes a grant's holder unwritable: it is active already, or signed.
_CLOSED = (
    "EXISTS (SELECT 1 FROM license WHERE license.id = {row}.license_id AND license.status <> 'DRAFT') "
    "OR EXISTS (SELECT 1 FROM release WHERE release.id = {row}.release_id AND release.status <> 'NON')"
)
_CLOSED_OF_GRANT = (
    "EXISTS (SELECT 1 FROM license_grant LEFT JOIN license ON license.id = license_grant.license_id "
    "LEFT JOIN release ON release.id = license_grant.release_id "
    "WHERE license_grant.id = {row}.grant_id AND (license.status <> 'DRAFT' OR release.status <> 'NON'))"
)
#: Held while a grant is written, so that of two at once, one of whom makes it active, the later sees the earlier.
_HOLDER = (
    "PERFORM 1 FROM license WHERE id = {row}.license_id FOR SHARE; "
    "PERFORM 1 FROM release WHERE id = {row}.release_id FOR SHARE;"
)
_HOLDER_OF_GRANT = (
    "PERFORM 1 FROM license JOIN license_grant ON license_grant.license_id = license.id "
    "WHERE license_grant.id = {row}.grant_id FOR SHARE OF license; "
    "PERFORM 1 FROM release JOIN license_grant ON license_grant.release_id = release.id "
    "WHERE license_grant.id = {row}.grant_id FOR SHARE OF release;"
)
_TERMS = (
    "number title kind code licensor_id licensee_org_id end_user_org_ids starts_on ends_on zone seats sublicensable "
    "fee_minor fee_currency supplier_item_id order_ref transaction_date terms_url plus_license_id "
    "free_text groups_as_of supersedes_id activated_at"
)
_SIGNED = "status minor_age guardian starts_on ends_on zone groups_as_of signed_on"
_LICENSE_ARROWS = "'DRAFT>ACTIVE', 'ACTIVE>SUSPENDED', 'SUSPENDED>ACTIVE', 'ACTIVE>TERMINATED', 'SUSPENDED>TERMINATED'"
_TAKEDOWN_ARROWS = "'OPEN>ENFORCED', 'OPEN>LIFTED', 'ENFORCED>LIFTED'"
#: The part contains the composite already, through whatever lies between.
_CYCLE = (
    "EXISTS (WITH RECURSIVE inside(id) AS (SELECT NEW.part_version_id UNION SELECT component.part_version_id "
    "FROM component JOIN inside ON component.composite_version_id = inside.id) "
    "SELECT 1 FROM inside WHERE inside.id = NEW.composite_version_id)"
)
_ANOTHERS = (
    "NEW.version_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM asset_version "
    "WHERE asset_version.id = NEW.version_id AND asset_version.asset_id = NEW.asset_id)"
)
_FULL = (
    "(SELECT count(*) FROM license_seat WHERE license_id = NEW.license_id AND released_at IS NULL) "
    ">= (SELECT seats FROM license WHERE license.id = NEW.license_id)"
)


def _changed(names: str) -> str:
    """Any of these columns differs. JSON is compared as text on PostgreSQL, whose JSONB is written in one way."""
    return " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in names.split())


def _elsewhere(column: str) -> str:
    """It points at another asset now, and not because the asset became part of that one."""
    absorbed = f"SELECT 1 FROM asset WHERE id = OLD.{column} AND merged_into_id = NEW.{column}"  # noqa: S608  # our own
    return f"(NEW.{column} IS DISTINCT FROM OLD.{column} AND NOT EXISTS ({absorbed}))"


def _record_of_asset(always: str, closing: str) -> str:
    """It is closed once, by the first of the columns of `closing`, and goes along with its asset."""
    closed = f"OLD.{closing.split(maxsplit=1)[0]} IS NOT NULL AND ({_changed(closing)})"
    return f"{_changed(always)} OR {_elsewhere('asset_id')} OR ({closed})"


def _off_the_arrows(arrows: str) -> str:
    return f"NEW.status <> OLD.status AND OLD.status || '>' || NEW.status NOT IN ({arrows})"


def _kept_after(begun: str, always: str, later: str) -> str:
    return f"{_changed(always)} OR (OLD.status <> '{begun}' AND ({_changed(later)}))"


#: Name, event and table, when it is refused, what is said then, and what is locked before on PostgreSQL.
_REFUSED = (
    (
        "license_begun",
        "INSERT ON license",
        "NEW.status <> 'DRAFT' OR NEW.supersedes_id IS NOT NULL",
        "a licence begins as a draft that supersedes none",
        "",
    ),
    (
        "license_kept",
        "UPDATE ON license",
        _kept_after("DRAFT", "id org_id created_at created_by", _TERMS)
        + f" OR (OLD.status <> 'DRAFT' AND {_elsewhere('document_asset_id')})",
        "an active licence is superseded, not changed",
        "",
    ),
    (
        "license_succeeds",
        "UPDATE ON license",
        "EXISTS (SELECT 1 FROM license WHERE license.id = NEW.supersedes_id AND license.status = 'DRAFT')",
        "a draft is not superseded, so that none supersedes itself by way of others",
        "",
    ),
    ("license_moved", "UPDATE ON license", _off_the_arrows(_LICENSE_ARROWS), "a licence does not go that way", ""),
    ("license_deleted", "DELETE ON license", "TRUE", "a licence is never deleted", ""),
    (
        "grant_inserted",
        "INSERT ON license_grant",
        _CLOSED.format(row="NEW"),
        "grants are written before a licence is active or a release signed",
        _HOLDER.format(row="NEW"),
    ),
    ("grant_updated", "UPDATE ON license_grant", "TRUE", "a grant is never rewritten", ""),
    (
        "grant_deleted",
        "DELETE ON license_grant",
        _CLOSED.format(row="OLD"),
        "a grant stays with its active licence or signed release",
        _HOLDER.format(row="OLD"),
    ),
    (
        "cap_inserted",
        "INSERT ON grant_cap",
        _CLOSED_OF_GRANT.format(row="NEW"),
        "caps are written before a licence is active",
        _HOLDER_OF_GRANT.format(row="NEW"),
    ),
    ("cap_updated", "UPDATE ON grant_cap", _changed("id grant_id unit per at_most"), "a cap is only counted up", ""),
    (
        "cap_deleted",
        "DELETE ON grant_cap",
        _CLOSED_OF_GRANT.format(row="OLD"),
        "a cap stays with its active licence",
        _HOLDER_OF_GRANT.format(row="OLD"),
    ),
    (
        "duty_inserted",
        "INSERT ON grant_duty",
        _CLOSED_OF_GRANT.format(row="NEW"),
        "duties are written before a licence is active",
        _HOLDER_OF_GRANT.format(row="NEW"),
    ),
    ("duty_updated", "UPDATE ON grant_duty", "TRUE", "a duty is never rewritten", ""),
    (
        "duty_deleted",
        "DELETE ON grant_duty",
        _CLOSED_OF_GRANT.format(row="OLD"),
        "a duty stays with its active licence",
        _HOLDER_OF_GRANT.format(row="OLD"),
    ),
    (
        "seat_inserted",
        "INSERT ON license_seat",
        _FULL,
        "all seats of this licence are taken",
        "PERFORM 1 FROM license WHERE id = NEW.license_id FOR NO KEY UPDATE;",
    ),
    (
        "seat_updated",
        "UPDATE ON license_seat",
        f"{_changed('id license_id org_id assigned_at assigned_by')} OR OLD.released_at IS NOT NULL",
        "a seat is only given back",
        "",
    ),
    ("seat_deleted", "DELETE ON license_seat", "TRUE", "a seat is never deleted", ""),
    (
        "release_kept",
        "UPDATE ON release",
        _kept_after("NON", "id org_id number kind subject_party_id created_at created_by", _SIGNED)
        + f" OR (OLD.status <> 'NON' AND {_elsewhere('signed_document_id')})"
        + f" OR (OLD.revoked_at IS NOT NULL AND ({_changed('revoked_at revoked_by status')}))",
        "a signed release is only revoked",
        "",
    ),
    ("release_deleted", "DELETE ON release", "TRUE", "a release is never deleted", ""),
    (
        "rights_inserted",
        "INSERT ON asset_rights",
        _ANOTHERS,
        "this version is of another asset",
        "",
    ),
    (
        "rights_updated",
        "UPDATE ON asset_rights",
        _record_of_asset(
            "id org_id version_id license_id release_id coverage assessed_at assessed_by recognisable_people "
            "recognisable_property",
            "ended_at ending",
        ),
        "an assessment is ended, not changed",
        "",
    ),
    ("rights_deleted", "DELETE ON asset_rights", "TRUE", "an assessment is never deleted", ""),
    (
        "component_inserted",
        "INSERT ON component",
        _CYCLE,
        "what this is made of would contain itself",
        "PERFORM pg_advisory_xact_lock(7811884315946739044);",  # "licensed" in ASCII
    ),
    ("component_updated", "UPDATE ON component", "TRUE", "a component is taken out and put in", ""),
    (
        "embargo_updated",
        "UPDATE ON embargo",
        _record_of_asset("id org_id starts_at ends_at placed_at placed_by", "lifted_at lifted_by legal_ref"),
        "an embargo is only lifted",
        "",
    ),
    ("embargo_deleted", "DELETE ON embargo", "TRUE", "an embargo is never deleted", ""),
    ("takedown_begun", "INSERT ON takedown", "NEW.status <> 'OPEN'", "a takedown begins open", ""),
    (
        "takedown_kept",
        "UPDATE ON takedown",
        _record_of_asset("id org_id opened_at opened_by", "lifted_at lifted_by enforced_at enforced_by")
        + f" OR ({_off_the_arrows(_TAKEDOWN_ARROWS)})",
        "a takedown is enforced and lifted, each once",
        "",
    ),
    ("takedown_deleted", "DELETE ON takedown", "TRUE", "a takedown is never deleted", ""),
    (
        "exclusivity_updated",
        "UPDATE ON exclusivity",
        _record_of_asset(
            "id org_id direction holder_org_id channels territories industries starts_on ends_on zone groups_as_of "
            "created_at created_by",
            "ended_at ended_by",
        ),
        "exclusivity is only ended",
        "",
    ),
    ("exclusivity_deleted", "DELETE ON exclusivity", "TRUE", "exclusivity is never deleted", ""),
)

#: The asset that an assessment is of now: versions move where assets are merged.
_ASSESSED = (
    "SELECT coalesce((SELECT moved.asset_id FROM asset_version AS moved WHERE moved.id = asset_rights.version_id), "
    "asset_rights.asset_id) FROM asset_rights WHERE asset_rights.ended_at IS NULL"
)
_GRANTED = "asset_rights.{holder}_id IN (SELECT {holder}_id FROM license_grant WHERE id {{grant_id}})"
_BY_GRANT = f"{_ASSESSED} AND ({_GRANTED.format(holder='license')} OR {_GRANTED.format(holder='release')})"
_OF_ASSET = "SELECT id FROM asset WHERE id {asset_id}"
_OF_VERSION = "SELECT asset_id FROM asset_version WHERE id {{{column}}}"
#: Per table the events that a decision may notice, and whose they are: `{column}` compares with the changed rows'.
_NOTICED: Mapping[str, tuple[str, str]] = {
    "license": ("UPDATE", f"{_ASSESSED} AND asset_rights.license_id {{id}}"),
    "license_grant": (
        "INSERT DELETE",
        f"{_ASSESSED} AND (asset_rights.license_id {{license_id}} OR asset_rights.release_id {{release_id}})",
    ),
    "grant_cap": ("INSERT DELETE", _BY_GRANT),
    "grant_duty": ("INSERT DELETE", _BY_GRANT),
    "license_seat": ("INSERT UPDATE", f"{_ASSESSED} AND asset_rights.license_id {{license_id}}"),
    "release": ("UPDATE", f"{_ASSESSED} AND asset_rights.release_id {{id}}"),
    "asset_rights": (
        "INSERT UPDATE",
        f"{_OF_ASSET} UNION {_OF_VERSION.format(column='version_id')}",
    ),
    "component": ("INSERT DELETE", _OF_VERSION.format(column="composite_version_id")),
    "territory_group": ("INSERT UPDATE DELETE", _ASSESSED),
    "territory_group_member": ("INSERT UPDATE DELETE", _ASSESSED),
    "embargo": ("INSERT UPDATE", _OF_ASSET),
    "takedown": ("INSERT UPDATE", _OF_ASSET),
    "exclusivity": ("INSERT UPDATE", _OF_ASSET),
    "legal_hold": ("INSERT UPDATE", _OF_ASSET),
}
#: They, and everything that is made of them.
_TOUCHED = (
    "WITH RECURSIVE touched(id) AS ({direct} UNION SELECT whole.asset_id FROM touched "
    "JOIN asset_version AS part ON part.asset_id = touched.id JOIN component ON component.part_version_id = part.id "
    "JOIN asset_version AS whole ON whole.id = component.composite_version_id) SELECT id FROM touched"
)
_MOVED = "UPDATE asset SET rights_epoch = rights_epoch + 1 WHERE id IN ({touched})"


def on_sqlite() -> Iterator[str]:
    for name, when, broken, sentence, _ in _REFUSED:
        raised = f"SELECT RAISE(ABORT, '{sentence}');"
        yield f"CREATE TRIGGER licensing_{name} BEFORE {when} WHEN {broken} BEGIN {raised} END"
    for table, event, direct in _noticed():
        side = "OLD" if event == "DELETE" else "NEW"
        touched = _TOUCHED.format(direct=direct.format_map(_Columns(f"= {side}.{{}}")))
        moved = _MOVED.format(touched=touched)
        yield f"CREATE TRIGGER rights_{table}_{event.lower()} AFTER {event} ON {table} BEGIN {moved}; END"


def on_postgres() -> Iterator[str]:
    """Epochs once per statement, the assets locked in the order of ids: two changes do not lock each other out."""
    for name, when, broken, sentence, lock in _REFUSED:
        yield f"""CREATE FUNCTION licensing_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              {lock}
              IF {broken} THEN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation'; END IF;
              IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
              RETURN NEW;
            END $$"""
        called = f"FOR EACH ROW EXECUTE FUNCTION licensing_{name}()"
        yield f"CREATE TRIGGER licensing_{name} BEFORE {when} {called}"
    for table, event, direct in _noticed():
        side, name = "OLD" if event == "DELETE" else "NEW", f"rights_{table}_{event.lower()}"
        touched = _TOUCHED.format(direct=direct.format_map(_Columns("IN (SELECT {} FROM changed_rows)")))
        yield f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              PERFORM 1 FROM asset WHERE id IN ({touched}) ORDER BY id FOR NO KEY UPDATE;
              {_MOVED.format(touched=touched)};
              RETURN NULL;
            END $$"""
        called = f"REFERENCING {side} TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        yield f"CREATE TRIGGER {name} AFTER {event} ON {table} {called}"


def _noticed() -> Iterator[tuple[str, str, str]]:
    for table, (events, direct) in _NOTICED.items():
        for event in events.split():
            yield table, event, direct


class _Columns(dict[str, str]):
    """Any column's name, compared with the changed rows' in one database's way."""

    def __init__(self, compared: str) -> None:
        super().__init__()
        self.compared = compared

    def __missing__(self, name: str) -> str:
        return self.compared.format(name)

"""No table shows in a mapped field without its freshness being proved: what the fields themselves name is looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.sql import visitors

from domain.hub import Hub
from domain.work import HUB
from schema.built import built
from schema.mapped import MAPPED, TABLES
from storage.tables import Row
from tests.plans import differential, test_freshness, test_licensed_freshness
from tests.plans.test_freshness import change

#: Of these rows, once they are there, the database lets nobody change a column: they begin and they end.
WRITTEN_ONCE: Final = ("asset_rights", "component", "exclusivity", "grant_duty", "license_grant", "usage_record")
#: Rows that come and go whole; `test_licensed_freshness` adds one.
COUNTED: Final = {"purchase_subscriber"}
#: What says how fresh the others are, and decisions: addresses are signed anew with each, and no change of one shows.
OF_OTHERS: Final = {"asset_stamp", "table_epoch", "rights_decision"}


def test_every_table_that_a_mapped_field_names_is_held_to_be_fresh() -> None:
    named: set[str] = set()
    for type_ in built._schema.type_map.values():
        for told in getattr(type_, "fields", {}).values():
            definition = (getattr(told, "extensions", None) or {}).get("strawberry-definition")
            named |= set(_tables(definition.metadata.get(MAPPED))) if definition is not None else set()
    named |= set(_tables(TABLES))
    held = {*test_freshness.MAPPED, *test_licensed_freshness.FROZEN, *WRITTEN_ONCE, *COUNTED, *OF_OTHERS}
    assert {"asset", "license", "usage_record"} <= named
    assert named - held == set()


@pytest.mark.parametrize("table", WRITTEN_ONCE)
def test_what_is_written_once_is_changed_in_no_column(hub: Hub, table: str) -> None:
    brand = differential.world(hub, 3)
    columns = Row.metadata.tables[table].columns
    with hub.reading(HUB) as work:
        before = work.session.execute(sa.select(*columns).order_by(*columns)).all()
    assert before
    assert [column.name for column in columns if change(brand.hub, column)] == []
    with hub.reading(HUB) as work:
        assert work.session.execute(sa.select(*columns).order_by(*columns)).all() == before


def _tables(told: Any) -> Iterable[str]:
    if hasattr(told, "__clause_element__"):
        told = told.__clause_element__()
    if isinstance(told, sa.sql.ClauseElement):
        for each in visitors.iterate(told):
            table = each if isinstance(each, sa.Table) else getattr(each, "table", None)
            if isinstance(table, sa.Table):
                yield table.name
    elif is_dataclass(told):
        for field in fields(told):
            yield from _tables(getattr(told, field.name))
    elif isinstance(told, Mapping):
        yield from _tables(tuple(told.values()))
    elif isinstance(told, list | tuple | set | frozenset):
        for each in told:
            yield from _tables(each)

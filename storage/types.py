"""Column types that mean the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(sa.types.TypeDecorator[datetime]):
    """A moment in UTC to the microsecond: `timestamptz` on PostgreSQL, integer microseconds on SQLite.

    A datetime without a zone is refused (ValueError): it names no moment. Both forms sort alike.
    """

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("An instant needs a time zone.")
        return value.astimezone(UTC) if dialect.name == "postgresql" else microseconds(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "postgresql":
            return value.astimezone(UTC)  # type: ignore[no-any-return]  # psycopg gives datetime
        return EPOCH + timedelta(microseconds=value)


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970-01-01T00:00Z; exact, unlike `timestamp()`, which is a float."""
    return (moment - EPOCH) // timedelta(microseconds=1)


class Microseconds(FunctionElement[int]):
    """What `microseconds` says of a column of moments, told by the database."""

    name = "microseconds"
    type = sa.BigInteger()
    inherit_cache = True


@compiles(Microseconds)
def _as_stored(element: Microseconds, compiler: SQLCompiler, **kept: Any) -> str:
    return compiler.process(element.clauses, **kept)


@compiles(Microseconds, "postgresql")
def _extracted(element: Microseconds, compiler: SQLCompiler, **kept: Any) -> str:
    # Exact: PostgreSQL extracts the seconds as a numeric.
    return f"CAST(extract(epoch FROM {compiler.process(element.clauses, **kept)}) * 1000000 AS BIGINT)"


#: 64-bit key. SQLite only makes `INTEGER PRIMARY KEY` its row id, which is 64 bits wide as well.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: Folded text that is sorted: by code point on both databases, whatever the server's locale says.
Folded = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

#: The same where None is written as NULL, not as JSON's null.
NullableJson = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

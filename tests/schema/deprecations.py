"""What `@deprecated` must say: since when, why, what to ask instead, and until when it stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import graphql

SAYS = re.compile(r"Since (\d{4}-\d\d-\d\d): (\S.*\S)\. Until (\d{4}-\d\d-\d\d)\.", re.DOTALL)
#: Days for which what is deprecated goes on working.
NOTICE = timedelta(days=180)


def faults(sdl: str) -> list[str]:
    """A sentence for each deprecation of the schema that does not say what it must."""
    found = []
    for place, reason in _deprecated(graphql.build_schema(sdl)):
        said = SAYS.fullmatch(reason)
        if said is None:
            found.append(f"{place} says no “Since YYYY-MM-DD: why, and what instead. Until YYYY-MM-DD.”")
        elif date.fromisoformat(said[3]) - date.fromisoformat(said[1]) < NOTICE:
            found.append(f"{place} goes sooner than {NOTICE.days} days after it was deprecated.")
    return found


def _deprecated(schema: graphql.GraphQLSchema) -> Iterator[tuple[str, str]]:
    for name, kind in schema.type_map.items():
        if isinstance(kind, graphql.GraphQLEnumType):
            members = {f"{name}.{value}": told.deprecation_reason for value, told in kind.values.items()}
        else:
            fields = getattr(kind, "fields", {})
            members = {f"{name}.{field}": told.deprecation_reason for field, told in fields.items()}
            for field, told in fields.items():
                for argument, wanted in getattr(told, "args", {}).items():
                    members[f"{name}.{field}({argument}:)"] = wanted.deprecation_reason
        if not name.startswith("__"):
            yield from ((place, reason) for place, reason in members.items() if reason is not None)

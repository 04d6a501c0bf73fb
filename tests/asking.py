"""A client of the schema for tests: asks as somebody, in the same process, and lets the workers catch up."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from domain import intake
from domain.hub import Hub
from domain.work import Viewer
from schema import execution
from schema.execution import Asked
from storage import statements as raw
from storage.staging import Staging


@dataclass
class Client:
    hub: Hub
    viewer: Viewer

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """`data` of an answer without errors."""
        answer = self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer."""
        answered = execution.answer(self.hub, self.viewer, Asked(query, variables=variables), "test")
        whole: dict[str, Any] = json.loads(answered.body)
        return whole

    def mutate(self, name: str, selection: str, **fields: Any) -> dict[str, Any]:
        """The payload of one mutation whose errors, if any, come with code, message, path and type."""
        input_type = name[0].upper() + name[1:] + "Input"
        query = f"""mutation ($input: {input_type}!) {{
          {name}(input: $input) {{ {selection} errors {{ __typename code message path {ERROR_FIELDS} }} }}
        }}"""
        payload: dict[str, Any] = self.ask(query, input=fields)[name]
        return payload

    def upload(self, data: bytes, file_name: str = "picture.png") -> str:
        """A finished upload of these bytes; its id."""
        kept = Staging(self.hub.settings.staging_dir)
        with self.hub.writing(self.viewer) as work:
            row = intake.begin(work, kept, length=len(data), file_name=file_name)
        stored = self.hub.blobs.put(io.BytesIO(data))
        with self.hub.writing(self.viewer) as work:
            intake.complete(work, intake.own(work, row.id), stored.sha256)
        return row.id

    def create(self, data: bytes, file_name: str = "picture.png", **fields: Any) -> dict[str, Any]:
        """A new asset of these bytes: id, revision and current version."""
        payload = self.mutate(
            "assetCreate",
            "asset { id revision title current { id sha256 } }",
            upload=self.upload(data, file_name),
            **fields,
        )
        assert payload["errors"] == []
        asset: dict[str, Any] = payload["asset"]
        return asset


#: An issuer of signed tokens that nobody is.
ISSUER = "https://issuer.example"
ERROR_FIELDS = """
  ... on StaleRevisionError { current }
  ... on DuplicateAssetError { existing { id } }
  ... on ValidationError { constraint }
  ... on FileRefusedError { reason }
  ... on StaleSubjectError { currentDigest }
"""


def trusting(hub: Hub, issuer: str = ISSUER) -> Hub:
    """The same hub, whose operator trusts this issuer."""
    told = {"jwt_issuer": issuer, "jwt_audience": "https://api.hub.test"}
    return dataclasses.replace(hub, settings=hub.settings.model_copy(update=told))


@contextmanager
def statements(hub: Hub) -> Iterator[list[str]]:
    """The SQL statements sent while the block runs, without BEGIN and COMMIT."""
    sent: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(hub.database.engine, "before_cursor_execute", note)
    raw.heard.append(sent.append)
    try:
        yield sent
    finally:
        raw.heard.remove(sent.append)
        event.remove(hub.database.engine, "before_cursor_execute", note)


def rows_everywhere(hub: Hub) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table as the driver tells it, for proving that a refusal changed nothing."""
    with hub.database.reading() as session:
        cursor = session.connection().connection.cursor()
        return {name: rows.run(cursor) for name, rows in _tables(hub.database.engine.dialect)}


def _tables(dialect: sa.Dialect) -> list[tuple[str, raw.Statement]]:
    """What is asked of each: put together once, for a test asks again and again."""
    from storage.tables import Row

    if dialect.name not in _asked_of_tables:
        _asked_of_tables[dialect.name] = [
            (table.name, raw.compiled(sa.select(table).order_by(*table.primary_key), dialect))
            for table in Row.metadata.sorted_tables
        ]
    return _asked_of_tables[dialect.name]


_asked_of_tables: dict[str, list[tuple[str, raw.Statement]]] = {}

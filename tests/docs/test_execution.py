"""What docs/execution.md shows of one query is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy.dialects.sqlite
from graphql import OperationDefinitionNode, parse

from domain.global_ids import encode
from domain.hub import Hub, open_hub
from domain.work import HUB
from schema import execution
from schema.built import graphql_schema
from schema.execution import Asked
from schema.plans import writing
from schema.plans.planning import Found, Operation
from storage import statements
from storage.settings import Settings
from tests.plans import differential

PAGE = Path(__file__).parents[2] / "docs" / "execution.md"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_generated_python_is_the_one_on_the_page() -> None:
    (query,), (shown,) = blocks("graphql"), blocks("text")
    document = parse(query)
    (node,) = document.definitions
    assert isinstance(node, OperationDefinitionNode)
    (root,) = Operation.of(graphql_schema, document, node).plan(()).roots
    assert isinstance(root, Found)
    written = writing.written(root.entities["Asset"].shape, sqlalchemy.dialects.sqlite.dialect())
    assert written.source == shown


def test_the_statements_are_those_on_the_page(tmp_path: Path) -> None:
    told = {"data_dir": tmp_path, "secret_key": "docs", "workers": 0}
    hub: Hub = open_hub(Settings.model_validate(told), upgrade=True)
    try:
        brand = differential.world(hub, 1)
        heard: list[str] = []
        statements.heard.append(heard.append)
        try:
            asked = Asked(blocks("graphql")[0], variables={"id": encode("Asset", brand.assets[0])})
            answered = execution.answer(brand.hub, HUB, asked, "test")
        finally:
            statements.heard.remove(heard.append)
    finally:
        hub.close()
    assert b'"errors"' not in answered.body
    assert [plain(each) for each in heard] == [plain(each) for each in blocks("sql")]


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()

"""A page of a list as the connection that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from domain.pages import Position, Slice
from schema.plans.shape import Constant, Edges, Info, Nodes, Parts, Total

_WORDS: Final = {"hasNextPage": "has_next", "hasPreviousPage": "has_previous"}


def connection(
    parts: Parts,
    page: Slice[Any],
    node: Callable[[int, Any], Any],
    mark: Callable[[Position], str],
    total: Callable[[], int],
) -> dict[str, Any]:
    """`node` is given the number of what is wanted and a row; `mark` makes a cursor of where a row stands."""
    whole: dict[str, Any] = {}
    for part in parts:
        match part:
            case Constant(key, value):
                whole[key] = value
            case Edges():
                whole[part.key] = _edges(part, page, node, mark)
            case Nodes():
                whole[part.key] = [node(part.node, row) for row in page.rows]
            case Info():
                whole[part.key] = _info(part, page, mark)
            case Total():
                whole[part.key] = total()
    return whole


def _edges(
    edges: Edges, page: Slice[Any], node: Callable[[int, Any], Any], mark: Callable[[Position], str]
) -> list[dict[str, Any]]:
    whole = []
    for row, position in zip(page.rows, page.positions, strict=True):
        edge: dict[str, Any] = {}
        for part in edges.parts:
            if isinstance(part, Constant):
                edge[part.key] = part.value
            else:
                key, number = part
                edge[key] = mark(position) if number is None else node(number, row)
        whole.append(edge)
    return whole


def _info(info: Info, page: Slice[Any], mark: Callable[[Position], str]) -> dict[str, Any]:
    ends = {"startCursor": page.positions[0], "endCursor": page.positions[-1]} if page.positions else {}
    whole: dict[str, Any] = {}
    for part in info.parts:
        if isinstance(part, Constant):
            whole[part.key] = part.value
        elif part[1] in _WORDS:
            whole[part[0]] = getattr(page, _WORDS[part[1]])
        else:
            whole[part[0]] = mark(ends[part[1]]) if part[1] in ends else None
    return whole

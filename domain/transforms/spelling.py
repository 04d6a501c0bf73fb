"""Recipes as JSON: what is as by default is left out, and the name of the preset is none of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Any, Final

from domain.recipes import Colour, Fit, Format, Recipe
from domain.statements import DataMining, MetadataPolicy, Statement

#: What such a recipe goes by where a name is needed.
NAME: Final = "transform"


def spelt(recipe: Recipe) -> dict[str, Any]:
    """`recipe` of this is the same but for the preset's name."""
    return {
        each.name: _plain(getattr(recipe, each.name))
        for each in dataclasses.fields(Recipe)
        if each.name != "preset" and getattr(recipe, each.name) != each.default
    }


def recipe(told: dict[str, Any]) -> Recipe:
    """`Invalid` for what no recipe may be; a `ValueError` or `TypeError` for what nobody has spelt here."""
    read = {name: _READ[name](value) if name in _READ else value for name, value in told.items()}
    return Recipe(preset=NAME, **read)


def _plain(value: Any) -> Any:
    if isinstance(value, Statement):
        fields = dataclasses.fields(Statement)
        return {each.name: _plain(getattr(value, each.name)) for each in fields if getattr(value, each.name)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _statement(told: dict[str, Any]) -> Statement:
    read: dict[str, Callable[[Any], Any]] = {
        "starts": date.fromisoformat,
        "expires": date.fromisoformat,
        "data_mining": DataMining,
        "keywords": tuple,
    }
    return Statement(**{name: read[name](value) if name in read else value for name, value in told.items()})


_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "format": Format,
    "fit": Fit,
    "colour": Colour,
    "metadata": MetadataPolicy,
    "statement": _statement,
    "region": tuple,
    "focal": tuple,
}

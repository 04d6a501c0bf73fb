"""Strawberry's field decorators with types, and fields that need a permission of their own.

A restricted field is null for whoever lacks its permission where the thing stands, and the answer says so under
`extensions.denied`; the rest of the query is answered as if nothing had been. In `where` and `orderBy` it is refused to
whoever holds the permission nowhere.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import Enum
from typing import Any, Final, Protocol, TypeVar, cast

import strawberry
from strawberry.extensions import FieldExtension

from domain.permissions import Permission
from domain.refusals import NotAllowed
from domain.work import Work
from schema.context import Context
from schema.mapped import MAPPED

Resolver = TypeVar("Resolver", bound=Callable[..., Any])

#: Entries of `extensions.denied` in one answer; the same field of further rows is not listed beyond it.
MAX_DENIED: Final = 100

_NEEDS: Final = "needs"


@dataclasses.dataclass(frozen=True)
class Subject:
    """What a restricted field is about: `may(work, keys, permission)` answers for all that are asked at once."""

    may: Callable[[Work, Iterable[Any], Permission], Mapping[Any, bool]]
    key: Hashable


class Restricted(Protocol):
    """A type with restricted fields says of each of its values whose permission counts."""

    def subject(self) -> Subject: ...


def field(
    description: str,
    *,
    needs: Permission | None = None,
    mapped: Any = None,
    weight: int | None = None,
    size: int | str | None = None,
    extra: Mapping[str, int] | None = None,
) -> Callable[[Resolver], Resolver]:
    """With `needs`, the type must be `Restricted` and the field nullable. `mapped` says how it is read off rows
    (`schema.mapped`): plans answer by it what the resolver answers otherwise.

    What it costs, where `schema.cost` would be wrong: its `weight`; the `size` of the list it answers, or the argument
    that is as long; and what arguments, if given, add as `extra`.
    """
    told = description if needs is None else f"{description} Null without the permission `{needs.value}`."
    extensions: list[FieldExtension] = [] if needs is None else [_Needing(needs)]
    said = {"weight": weight, "size": size, "extra": extra, MAPPED: mapped}
    metadata = {name: each for name, each in said.items() if each is not None}
    made = strawberry.field(description=told, extensions=extensions, metadata=metadata)
    return cast("Callable[[Resolver], Resolver]", made)


def needed(definition: Any) -> set[Permission]:
    """The permissions that a Strawberry field needs."""
    return {each.permission for each in definition.extensions if isinstance(each, _Needing)}


def mutation(description: str, *, weight: int | None = None) -> Callable[[Resolver], Resolver]:
    """`weight`: what it costs, where `schema.cost` would be wrong."""
    metadata = {} if weight is None else {"weight": weight}
    return cast("Callable[[Resolver], Resolver]", strawberry.mutation(description=description, metadata=metadata))


def restricted_filter(description: str, needs: Permission) -> Any:
    """A field of a `where` input that only those may use who hold the permission somewhere."""
    told = f"{description} Needs the permission `{needs.value}`."
    return strawberry.field(default=None, description=told, metadata={_NEEDS: needs})


def check_filter(work: Work, where: Any, path: tuple[str, ...] = ("where",)) -> None:
    """`NotAllowed` where the filter, however deep, speaks of a field whose permission the viewer holds nowhere."""
    waiting = [where]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif dataclasses.is_dataclass(each) and not isinstance(each, type):
            for told in dataclasses.fields(each):
                value = getattr(each, told.name)
                if value is None or value is strawberry.UNSET:
                    continue
                if _NEEDS in told.metadata:
                    check_use(work, told.metadata[_NEEDS], path)
                waiting.append(value)


def check_order(work: Work, fields: Iterable[Enum], needs: Mapping[Any, Permission]) -> None:
    """`NotAllowed` where a list is to be ordered by a field whose permission the viewer holds nowhere."""
    for each in fields:
        if each in needs:
            check_use(work, needs[each], ("orderBy",))


def check_use(work: Work, permission: Permission, path: tuple[str, ...]) -> None:
    if not work.viewer.holdings.anywhere(permission):
        raise NotAllowed(f"This needs the permission {permission.value}.", permission.value, path)


def deny(info: strawberry.Info[Context], permission: Permission) -> None:
    """Lets the answer say that something was left out of this field for want of the permission."""
    denied = info.context.denied
    if len(denied) < MAX_DENIED:
        denied.append({"path": info.path.as_list(), "permission": permission.value})


async def may(info: strawberry.Info[Context], subject: Subject, permission: Permission) -> bool:
    """Whether the viewer holds the permission for it; asked for all that are due at once."""
    if info.context.viewer.holdings.reach(permission).is_everywhere:
        return True
    return bool(await info.context.load(subject.may, subject.key, permission))


class _Needing(FieldExtension):
    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **arguments: Any) -> Any:
        """Without waiting where the permission holds everywhere, as for most who ask for many rows."""
        if info.context.viewer.holdings.reach(self.permission).is_everywhere:
            return next_(source, info, **arguments)
        return self.resolve_async(next_, source, info, **arguments)

    async def resolve_async(
        self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **arguments: Any
    ) -> Any:
        of: Restricted = source
        if not await may(info, of.subject(), self.permission):
            deny(info, self.permission)
            return None
        found = next_(source, info, **arguments)
        return await found if inspect.isawaitable(found) else found

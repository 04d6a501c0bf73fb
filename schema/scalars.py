"""Scalars with strict parsers: what does not say exactly one value is refused with a sentence."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from domain import locales
from domain.refusals import Invalid

BigInt = NewType("BigInt", int)
Sha256 = NewType("Sha256", str)
Url = NewType("Url", str)
Json = NewType("Json", object)
Locale = NewType("Locale", str)
Instant = datetime
Day = date

_DIGEST = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,9})?")
_INTEGER = re.compile(r"-?\d{1,19}")


def _instant(value: Any) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise GraphQLError("A DateTime looks like 2026-11-22T09:30:00Z: with seconds and a zone.")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("There is no such moment.") from None


def _write_instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _day(value: Any) -> date:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise GraphQLError("A Date looks like 2026-11-22.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise GraphQLError("There is no such day.") from None


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str) or not _DECIMAL.fullmatch(str(value)):
        raise GraphQLError('A Decimal is a number in digits, given as a string such as "12.50".')
    return Decimal(value)


def _locale(value: Any) -> str:
    try:
        return locales.tag(value if isinstance(value, str) else "")
    except Invalid as refusal:
        raise GraphQLError(refusal.message) from None


def _big_int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or not _INTEGER.fullmatch(str(value)):
        raise GraphQLError("A BigInt is a whole number, given as a string or a number.")
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise GraphQLError("A BigInt has 64 bits.")
    return number


def _digest(value: Any) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise GraphQLError("A Sha256 is 64 lower-case hexadecimal digits.")
    return value


SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number of 64 bits, written as a string because JavaScript's numbers end at 2⁵³.",
        serialize=str,
        parse_value=_big_int,
    ),
    Sha256: strawberry.scalar(
        name="Sha256",
        description="A SHA-256 digest as 64 lower-case hexadecimal digits.",
        serialize=str,
        parse_value=_digest,
    ),
    Url: strawberry.scalar(
        name="URL",
        description="An absolute address.",
        specified_by_url="https://url.spec.whatwg.org/",
        serialize=str,
    ),
    Json: strawberry.scalar(name="JSON", description="Any JSON value.", serialize=lambda value: value),
    Locale: strawberry.scalar(
        name="Locale",
        description="A language as a BCP 47 tag of language, script and region; `und` is for whoever reads no other.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc5646",
        serialize=str,
        parse_value=_locale,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="An exact number, written as a string.",
        serialize=str,
        parse_value=_decimal,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A day of the calendar, of no time zone.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=date.isoformat,
        parse_value=_day,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC; any offset is understood on the way in.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=_write_instant,
        parse_value=_instant,
    ),
}

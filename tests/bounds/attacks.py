"""Hostile documents: each looks for work that a server might do before it thinks of refusing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

INVALID: Final = "GRAPHQL_VALIDATION_FAILED"
UNREADABLE: Final = "GRAPHQL_PARSE_FAILED"


@dataclass(frozen=True)
class Attack:
    """`code` is how it is refused."""

    name: str
    code: str
    query: str
    variables: dict[str, Any] = field(default_factory=dict)


def _nested(opening: str, inside: str, closing: str, depth: int) -> str:
    return opening * depth + inside + closing * depth


def _many(count: int, one: Callable[[int], str], joint: str = " ") -> str:
    return joint.join(one(number) for number in range(count))


def _chain(length: int, spreads: int, end: str) -> str:
    """Fragments of which each spreads the next so often."""
    links = _many(length, lambda n: f"fragment F{n} on Query {{ {f'...F{n + 1} ' * spreads} }}")
    return f"{{ ...F0 }} {links} fragment F{length} on Query {{ {end} }}"


_WHERE: Final = "query ($w: AssetWhere) { assets(where: $w) { totalCount } }"
_IDS: Final = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"


def _deep_where(depth: int) -> dict[str, Any]:
    where: dict[str, Any] = {}
    for _ in range(depth):
        where = {"NOT": where}
    return where


ATTACKS: Final = (
    Attack("a megabyte of opening braces", "DOCUMENT_TOO_LONG", "{" * 1_000_000),
    Attack("a megabyte of closing braces", "DOCUMENT_TOO_LONG", "}" * 1_000_000),
    Attack("as many opening braces as fit", UNREADABLE, "{" * 100_000),
    Attack("as many closing braces as fit", UNREADABLE, "}" * 100_000),
    Attack("a megabyte of white space", "DOCUMENT_TOO_LONG", " " * 1_000_000 + "{ me { name } }"),
    Attack("white space before nothing", UNREADABLE, " " * 99_000 + "!"),
    Attack("nothing but commas", UNREADABLE, "," * 99_000),
    Attack("nothing but comments", "TOO_MANY_TOKENS", "#\n" * 50_000),
    Attack("one comment without end", UNREADABLE, "#" + "x" * 99_999),
    Attack("twenty thousand unknown fields", "DOCUMENT_TOO_LONG", "{ " + _many(20_000, "field{}".format) + " }"),
    Attack("fifteen thousand unknown fields", "TOO_MANY_TOKENS", "{ " + _many(15_000, "f{}".format) + " }"),
    Attack("unknown fields that fit", "TOO_MANY_ROOT_FIELDS", "{ " + _many(1_900, "assetz{}".format) + " }"),
    Attack("unknown fields below one", INVALID, "{ me { " + _many(1_900, "nam{}".format) + " } }"),
    Attack("the same field, over and over", "TOO_MANY_OVERLAPS", "{ me { " + "name " * 1_990 + "} }"),
    Attack("the same object, over and over", "TOO_MANY_ROOT_FIELDS", "{ " + "me { name } " * 990 + "}"),
    Attack(
        "objects to be merged",
        "TOO_MANY_OVERLAPS",
        "{ assets { " + "nodes { current { id width } } " * 490 + "} }",
    ),
    Attack(
        "objects that cannot be merged",
        INVALID,
        "{ assets { " + _many(90, lambda n: f"nodes {{ a{n % 5}: {('id', 'title')[n % 2]} }}") + "} }",
    ),
    Attack("aliases of one field", "TOO_MANY_ALIASES", "{ me { " + _many(900, "a{}: name".format) + " } }"),
    Attack(
        "one costly field under many names",
        "COST_TOO_HIGH",
        "{ " + _many(60, "a{}: auditVerify {{ checked }}".format) + " }",
    ),
    Attack("fields nested without end", "TOO_DEEP", "{ assets { " + _nested("nodes { ", "id", " }", 100) + " } }"),
    Attack("fields nested beyond any stack", "TOO_DEEP", _nested("{ a ", "b", " }", 2_400)),
    Attack(
        "inline fragments nested without end", "TOO_DEEP", "{ " + _nested("... { ", "me { name }", " }", 150) + " }"
    ),
    Attack("lists nested without end", "TOO_DEEP", "{ nodes(ids: " + _nested("[", '"x"', "]", 190) + ") { id } }"),
    Attack(
        "objects nested without end",
        "TOO_DEEP",
        f"{{ assets(where: {_nested('{NOT: ', '{}', '}', 190)}) {{ totalCount }} }}",
    ),
    Attack(
        "types nested without end", "TOO_DEEP", "query ($a: " + _nested("[", "Int", "]", 2_000) + ") { me { name } }"
    ),
    Attack("fragments that double, end on end", "TOO_MANY_FIELDS", _chain(40, 2, "me { name }")),
    Attack("fragments that double, of nothing", "TOO_MANY_FRAGMENTS", _chain(40, 2, "")),
    Attack("fragments one in the other", "TOO_DEEP", _chain(500, 1, "me { name }")),
    Attack("a fragment in itself", "FRAGMENT_CYCLE", "{ ...F } fragment F on Query { ...F }"),
    Attack("fragments in a ring", "FRAGMENT_CYCLE", _chain(500, 1, "...F0")),
    Attack(
        "many fragments side by side",
        "TOO_MANY_ROOT_FIELDS",
        "{ "
        + _many(400, "...F{}".format)
        + " } "
        + _many(400, lambda n: f"fragment F{n} on Query {{ me {{ name }} }}"),
    ),
    Attack(
        "fragments nobody asked for",
        INVALID,
        "{ me { name } } " + _many(400, lambda n: f"fragment F{n} on Query {{ me {{ name }} }}"),
    ),
    Attack(
        "the same directive, over and over", "TOO_MANY_DIRECTIVES", "{ me { name " + "@include(if: true) " * 700 + "} }"
    ),
    Attack("unknown directives", "TOO_MANY_DIRECTIVES", "{ me { name " + "@x " * 2_000 + "} }"),
    Attack(
        "directives within fragments",
        "TOO_MANY_DIRECTIVES",
        "{ me { " + "...F " * 90 + "} } fragment F on Viewer { " + "name @skip(if: true) " * 3 + "}",
    ),
    Attack("a list without end", "LIST_TOO_LONG", "{ nodes(ids: [" + '"x" ' * 4_900 + "]) { id } }"),
    Attack("a list of nulls", "LIST_TOO_LONG", "{ nodes(ids: [" + "null " * 4_900 + "]) { id } }"),
    Attack(
        "an object of a thousand fields",
        "OBJECT_TOO_LARGE",
        "{ assets(where: {" + _many(1_600, "a{}: 1".format) + "}) { totalCount } }",
    ),
    Attack(
        "a thousand arguments", "OBJECT_TOO_LARGE", "{ assets(" + _many(1_600, "a{}: 1".format) + ") { totalCount } }"
    ),
    Attack(
        "a thousand variables", "TOO_MANY_VARIABLES", "query (" + _many(1_200, "$a{}: Int".format) + ") { me { name } }"
    ),
    Attack("a thousand operations", "TOO_MANY_OPERATIONS", _many(500, "query Q{} {{ me {{ name }} }}".format)),
    Attack("a name without end", "NAME_TOO_LONG", "{ " + "x" * 99_000 + " }"),
    Attack("an argument's name without end", "NAME_TOO_LONG", "{ me(" + "x" * 99_000 + ": 1) { name } }"),
    Attack("a number without end", "NAME_TOO_LONG", "{ assets(first: " + "9" * 99_000 + ") { totalCount } }"),
    Attack("a fraction without end", "NAME_TOO_LONG", "{ assets(first: 0." + "1" * 99_000 + ") { totalCount } }"),
    Attack("a string without end", INVALID, '{ assets(first: "' + "x" * 99_000 + '") { totalCount } }'),
    Attack("a string that nothing ends", UNREADABLE, '{ asset(id: "' + "x" * 99_000),
    Attack("a block string of lines", INVALID, '{ assets(first: """' + "\n " * 49_000 + '""") { totalCount } }'),
    Attack("a string of escapes", INVALID, '{ assets(first: "' + "\\u0041" * 16_000 + '") { totalCount } }'),
    Attack("half a surrogate", UNREADABLE, '{ asset(id: "\\ud800") { id } }'),
    Attack("letters that only look right", UNREADABLE, "{ mе { name } }"),  # a Cyrillic letter
    Attack("marks that turn the text around", UNREADABLE, "{ me { \u202ename } }"),
    Attack("signs from beyond the plane", UNREADABLE, "{ " + "\U0001f4a9" * 20_000 + " }"),
    Attack("a null character", UNREADABLE, "{ me { name\u0000 } }"),
    Attack("types of a schema", INVALID, _many(500, "type T{} {{ a: Int }}".format)),
    Attack(
        "pages within pages",
        "COST_TOO_HIGH",
        "{ assets(first: 100) { nodes { versions(first: 100) { nodes { renditions { url { url } } } } } } }",
    ),
    Attack(
        "introspection nested in itself",
        INVALID,
        "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }",
    ),
    Attack(
        "introspection without end",
        INVALID,
        "{ __schema { types { " + _nested("fields { type { ", "name", " } }", 20) + " } } }",
    ),
    Attack("variables without end", "TOO_MANY_VARIABLES", "{ me { name } }", {f"a{n}": 1 for n in range(20_000)}),
    Attack("a variable list without end", "LIST_TOO_LONG", _IDS, {"ids": ["x"] * 100_000}),
    Attack("variables in lists in lists", "TOO_MANY_VALUES", _IDS, {"ids": [[["x"] * 100] * 100] * 3}),
    Attack("a variable nested without end", "TOO_DEEP", _WHERE, {"w": _deep_where(900)}),
    Attack(
        "an object variable of a thousand fields", "OBJECT_TOO_LARGE", _WHERE, {"w": {f"a{n}": 1 for n in range(5_000)}}
    ),
    Attack("a string variable without end", "TEXT_TOO_LONG", _WHERE, {"w": {"kind": {"eq": "x" * 900_000}}}),
    Attack("a string variable as long as may be", INVALID, _WHERE, {"w": {"kind": {"eq": "x" * 200_000}}}),
    Attack("a number variable without end", "TEXT_TOO_LONG", _WHERE, {"w": {"byteSize": {"eq": "9" * 900_000}}}),
    Attack("a name in a variable without end", "TEXT_TOO_LONG", _WHERE, {"w": {"x" * 900_000: 1}}),
    Attack("a name in a variable as long as may be", INVALID, _WHERE, {"w": {"x" * 200_000: 1}}),
)

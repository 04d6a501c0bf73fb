"""Acceptable inputs for mutations of trusted documents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.schema.samples import Brand

#: Why they do without `expectedRevision`.
UNREVISED: Final = {
    "documentsRegister": "a document never changes",
    "documentsRetire": "a document is retired or not",
}


def _given(brand: Brand) -> dict[str, Any]:
    brand.made[0] += 1
    body = f"query Number{brand.made[0]} {{ me {{ name }} }}"
    return {"id": f"sha256:{hashlib.sha256(body.encode()).hexdigest()}", "body": body}


def registered(brand: Brand) -> str:
    query = "mutation ($input: DocumentsRegisterInput!) { documentsRegister(input: $input) { documents { id } } }"
    found: str = brand.client.ask(query, input={"documents": [_given(brand)]})["documentsRegister"]["documents"][0][
        "id"
    ]
    return found


SAMPLES: Final[dict[str, Callable[[Brand], dict[str, Any]]]] = {
    "documentsRegister": lambda brand: {"documents": [_given(brand)]},
    "documentsRetire": lambda brand: {"documents": [registered(brand)]},
}

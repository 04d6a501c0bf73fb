"""The IIIF's own validator, run as a program of its own: prints, as JSON, what it says of a server test by test.

Arguments: server (host:port), prefix, identifier. Run where the package `iiif-validator` is installed.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import types
from typing import Any

VERSION = "3.0"


def verdicts(server: str, prefix: str, identifier: str) -> dict[str, dict[str, Any]]:
    """By test: the level that needs it, and what was found wrong; None for nothing."""
    # Only its tests of PDF and JPEG 2000, which no level needs, ask libmagic, and it is not everywhere.
    sys.modules["magic"] = types.ModuleType("magic")
    validator = importlib.import_module("iiif_validator.validator")
    known = validator.TestSuite(validator.ValidationInfo()).list_tests(VERSION)
    return {
        name: {"level": told["level"], "wrong": _wrong(validator, name, server, prefix, identifier)}
        for name, told in known.items()
    }


def _wrong(validator: Any, name: str, server: str, prefix: str, identifier: str) -> str | None:
    result = validator.ImageAPI(identifier, server, prefix, "http", "", VERSION, debug=False)
    try:
        validator.TestSuite(validator.ValidationInfo()).run_test(name, result)
    except Exception as error:  # noqa: BLE001  # its tests raise whatever they stumble over
        return f"{type(error).__name__}: {error}"
    return None if result.exception is None else str(result.exception)


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        found = verdicts(*sys.argv[1:])
    sys.stdout.write(json.dumps(found))

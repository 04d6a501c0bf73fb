"""The public validator of the IIIF, at level 2 of version 3.0, against the real server."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.iiif.house import open_house
from tests.servers.programs import ServerMissing

#: Not among our own packages: it brings a web framework of its own.
PACKAGE = "iiif-validator==1.0.5"
#: Seconds for the package to come, and for all of its tests.
PATIENCE = 240
#: It wants `!2000,3000` of a smaller picture refused. The text says: "as large as possible but not larger than the
#: extracted region" (4.2), and that is what is answered.
CONTRADICTS_THE_TEXT = "size_noup"
SQUARES = (
    "import json; from iiif_validator.validator import ValidationInfo; print(json.dumps(ValidationInfo().colorInfo))"
)
STUB = "import sys, types; sys.modules['magic'] = types.ModuleType('magic'); "


def validator(config: pytest.Config, *command: str) -> str:
    """What Python prints for this where the validator is installed."""
    outside = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    run = ["uv", "run", "--no-project", "--isolated", "--python", sys.executable, "--with", PACKAGE, "--with", "Pillow"]
    done = subprocess.run(
        [*run, "python", "-W", "ignore", *command],
        cwd=Path(__file__).parent,
        env=outside,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode and "iiif_validator" not in done.stderr:
        missing = ServerMissing(f"uv could not bring {PACKAGE} ({done.stderr.strip().splitlines()[-1:]}).")
        if config.getoption("--require-servers"):
            pytest.fail(f"SERVER MISSING: {missing}", pytrace=False)
        pytest.skip(f"SERVER MISSING: {missing}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def squares(colours: list[list[list[int]]]) -> bytes:
    """The picture that the validator knows: a hundred squares of 100 × 100 pixels."""
    picture = Image.new("RGB", (1000, 1000))
    for column, each in enumerate(colours):
        for row, colour in enumerate(each):
            picture.paste(tuple(colour), (column * 100, row * 100, column * 100 + 100, row * 100 + 100))
    encoded = io.BytesIO()
    picture.save(encoded, "PNG")
    return encoded.getvalue()


@pytest.mark.timeout(600)
def test_the_public_validator_finds_level_two_but_for_the_test_that_contradicts_the_text(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    known = squares(json.loads(validator(request.config, "-c", STUB + SQUARES).splitlines()[-1]))
    with open_house(tmp_path / "data") as house:
        parts = urlsplit(house.look(house.asset(known, "squares.png"))["iiif"]["url"])
        _, prefix, version, identifier = parts.path.split("/")
        said = validator(request.config, "validating.py", parts.netloc, f"{prefix}/{version}", identifier)
    verdicts = json.loads(said)
    needed = {name: told["wrong"] for name, told in verdicts.items() if told["level"] <= 2}
    assert len(needed) > 25
    wrong = {name: told for name, told in needed.items() if told is not None}
    assert set(wrong) == {CONTRADICTS_THE_TEXT}, wrong

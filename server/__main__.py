"""`python -m server`: serves; its other commands look after what is served."""

from __future__ import annotations

import sys

import typer

from domain.refusals import Refusal
from server import commands
from server.starting import CannotStart
from storage import blobs
from storage.settings import BadSettings

BAD_SETTINGS, FAILED = 2, 1


def main() -> int:
    """The exit code; 2 for settings that cannot be used, 1 for what was refused, each with its sentence."""
    try:
        commands.app(prog_name="python -m server")
    except BadSettings as error:
        return _told(error, BAD_SETTINGS)
    except (CannotStart, Refusal, blobs.BlobError) as error:
        return _told(error, FAILED)
    return 0


def _told(error: Exception, code: int) -> int:
    typer.echo(str(error), err=True)
    return code


if __name__ == "__main__":
    sys.exit(main())

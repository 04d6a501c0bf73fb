"""The command line: one module per group of commands, each of which registers its own."""

from __future__ import annotations

import typer

from server.commands import demo, documents, import_, serving, speaking, tokens, upkeep

#: Every module with commands, in the order in which help lists them.
MODULES = (serving, import_, demo, tokens, documents, upkeep, speaking)

app = typer.Typer(
    name="server",
    help="Imprimatur: a headless hub for a brand's assets. Without a command it serves.",
    add_completion=False,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    no_args_is_help=False,
)
for module in MODULES:
    module.register(app)

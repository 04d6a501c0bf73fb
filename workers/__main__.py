"""`python -m workers [--processes N]`: worker processes of their own, until SIGTERM or Ctrl-C.

Settings that cannot be used end it with one sentence and exit code 2.
"""

from __future__ import annotations

import argparse
import gc
import signal
import sys
from functools import partial
from types import FrameType

import structlog

from domain import hub
from storage import index, migrate
from storage.settings import BadSettings, Settings, load
from workers import foreman, registry
from workers.registry import Stop, Tools


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 after an orderly stop, 2 when the settings cannot be used."""
    asked = _parser().parse_args(arguments)
    stop = Stop(parent=foreman.parent_of_this_process())
    try:
        settings = load()
        _log_to_stderr(settings)
        _stop_on_signals(stop)
        return _supervise(asked.processes or max(1, settings.workers), settings, stop)
    except BadSettings as error:
        print(error, file=sys.stderr)  # noqa: T201  # the one sentence
        return foreman.BAD_SETTINGS


def open_tools(settings: Settings, role: str) -> Tools:
    """Everything that a process of this role holds open; its owner closes `hub`. Raises `BadSettings`."""
    return Tools(hub=_open_hub(settings), log=structlog.get_logger().bind(role=role))


def _supervise(runners: int, settings: Settings, stop: Stop) -> int:
    if stop.parent is not None:
        foreman.die_with_parent(signal.SIGTERM)
    _open_hub(settings).close()  # says once what every child would say
    log = structlog.get_logger().bind(role="foreman")
    gc.disable()  # finding no garbage among what is imported would take a fifth of the time
    registry.collect()
    for role in foreman.ROLES:
        foreman.player_of(role)  # imported here, once for all children
    gc.freeze()
    gc.enable()
    begin = partial(foreman.fork, play=partial(_play, settings))
    return foreman.Foreman(foreman.posts(runners), stop, log, begin).run()


def _play(settings: Settings, role: str, parent: int) -> None:
    """The whole life of a child."""
    stop = Stop(parent=parent)
    _stop_on_signals(stop)
    foreman.die_with_parent(signal.SIGKILL)
    try:
        foreman.player_of(role)(partial(open_tools, settings, role), stop)
    except BadSettings as error:
        print(error, file=sys.stderr)  # noqa: T201  # the one sentence
        sys.exit(foreman.BAD_SETTINGS)


def _open_hub(settings: Settings) -> hub.Hub:
    try:
        return hub.open_hub(settings)
    except (ValueError, migrate.Behind, index.BackendMissing) as error:
        raise BadSettings(str(error)) from error


def _stop_on_signals(stop: Stop) -> None:
    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.ask()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)


def _log_to_stderr(settings: Settings) -> None:
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_rendering(console=console),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _rendering(*, console: bool) -> list[structlog.typing.Processor]:
    if console:  # plain tracebacks: the pretty ones print local variables, and so secrets
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers", description="Does the hub's jobs.")
    parser.add_argument("--processes", type=_count, help="runner processes; default: IMPRIMATUR_WORKERS")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:  # noqa: PLR2004  # as IMPRIMATUR_WORKERS
        raise argparse.ArgumentTypeError("give a number from 1 to 256")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

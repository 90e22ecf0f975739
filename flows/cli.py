"""The `winnow` command. Exit codes: 0 done, 1 failed, 2 refused input, 130 interrupted.

Each command is a module of its own, `flows/<name>_command.py`, that is imported only when it is asked for: with
`add_<name>(parser)`, which makes its options, and `<name>_command(given)`, which does it.
"""

import argparse
import os
import sys
from importlib import import_module
from importlib.metadata import version

from core.errors import Cancelled, RefusedInput, WinnowError
from core.logs import switch_on
from flows.secret_block import take_secrets

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
COMMANDS = {
    "highlight": "cut the highlights of recordings into clips",
    "nightly": "cut the highlights of everything new in an inbox, into a store",
    "watch": "look into an inbox again and again, and begin work on what arrives",
    "failures": "list the recordings that failed, and try them again",
    "status": "say what runs, what waits, and how the last nightly ended",
    "metrics": "serve metrics for Prometheus and whatever else reads OpenMetrics",
    "retention": "remove what is no longer kept: intermediates, caches, old renditions, what killed runs left",
    "forget": "remove everything derived from a recording, from this machine and from a store",
    "setup": "make the work pools, queues and limits on the Prefect server in use",
    "score": "rank the sentences of a transcript that has no recording",
    "models": "say which scoring models there are, and choose the one in use",
    "evaluate": "measure a model on labelled lectures, or a run's clips against a truth",
    "doctor": "say what this machine has, and what to do about what is missing",
}
ASK_FOR_THEMSELVES = ("highlight", "nightly", "setup", "doctor")
"""Commands whose flows take secrets, or which need none: the others take them from the server in use at once."""


def build_parser(asked: str | None = None) -> argparse.ArgumentParser:
    """Every command; the options only of the one that is asked for, or of all."""
    parser = argparse.ArgumentParser(
        prog="winnow",
        description="Finds the moments worth replaying in long recordings and cuts them into finished clips.",
        epilog="Exit codes: 0 done, 1 failed, 2 refused input, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"winnow {version('winnow')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in COMMANDS.items():
        command = commands.add_parser(name, help=what, description=f"{what.capitalize()}.")
        if asked in (None, name):
            getattr(import_module(f"flows.{name}_command"), f"add_{name}")(command)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code. A user's mistake is one line, never a traceback."""
    arguments = sys.argv[1:] if arguments is None else arguments
    asked = next((word for word in arguments if word in COMMANDS), "none")
    try:
        switch_on()
        given = build_parser(asked).parse_args(arguments)
        if given.command not in ASK_FOR_THEMSELVES:
            take_secrets()
        return getattr(import_module(f"flows.{given.command}_command"), f"{given.command}_command")(given)
    except RefusedInput as refusal:
        print(f"winnow: {refusal}", file=sys.stderr)
        return REFUSED
    except (KeyboardInterrupt, Cancelled):
        print("winnow: stopped; a run on the same recording goes on from here.", file=sys.stderr)
        return INTERRUPTED
    except WinnowError as error:
        print(f"winnow: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stderr.close()
        return DONE


def run() -> None:
    """The program: `main`, and the end of the process."""
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    if code == INTERRUPTED:
        os._exit(code)  # threads of Prefect's would wait for a server that is gone
    sys.exit(code)


if __name__ == "__main__":
    run()

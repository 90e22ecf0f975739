"""The `winnow` command. Exit codes: 0 done, 1 failed, 2 refused input, 130 interrupted."""

import argparse
import os
import sys
from importlib.metadata import version
from typing import Any

from core.errors import Cancelled, RefusedInput, WinnowError

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130


def build_parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    parser = argparse.ArgumentParser(
        prog="winnow",
        description="Finds the moments worth replaying in long recordings and cuts them into finished clips.",
        epilog="Exit codes: 0 done, 1 failed, 2 refused input, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"winnow {version('winnow')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    _add_highlight(commands)
    _add_score(commands)
    _add_doctor(commands)
    return parser


def _add_highlight(commands: Any) -> None:
    from flows.options import add_options

    what = "cut the highlights of recordings into clips"
    parser = commands.add_parser("highlight", help=what, description=f"{what.capitalize()}.")
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="a recording, or a folder of recordings")
    parser.add_argument("--out", default="clips", metavar="DIR", help="where results go (default: clips)")
    parser.add_argument(
        "--transcript",
        metavar="FILE",
        help="captions (SRT or VTT) to use instead of recognising speech; "
        "a caption file beside the recording with the same stem is used without asking",
    )
    parser.add_argument("--json", action="store_true", help="print the manifests' paths as JSON lines, nothing else")
    add_options(parser)


def _add_score(commands: Any) -> None:
    what = "rank the sentences of a transcript that has no recording"
    parser = commands.add_parser("score", help=what, description=f"{what.capitalize()}.")
    parser.add_argument("transcript", metavar="FILE", help="captions, SRT or VTT")
    parser.add_argument("--model", default="baseline", metavar="TEXT", help="scoring model (default: baseline)")
    parser.add_argument("--top", type=int, default=None, metavar="N", help="only the N best sentences")
    parser.add_argument("--json", action="store_true", help="print JSON lines, best first")


def _add_doctor(commands: Any) -> None:
    what = "say what this machine has, and what to do about what is missing"
    parser = commands.add_parser("doctor", help=what, description=f"{what.capitalize()}.")
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code. A user's mistake is one line, never a traceback."""
    given = build_parser().parse_args(arguments)
    try:
        if given.command == "highlight":
            from flows.highlight_command import highlight_command

            return highlight_command(given)
        if given.command == "score":
            from flows.score_command import score_command

            return score_command(given)
        from flows.doctor_command import doctor_command

        return doctor_command(given)
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

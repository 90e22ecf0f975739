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
    _add_nightly(commands)
    _add_status(commands)
    _add_forget(commands)
    _add_score(commands)
    _add_models(commands)
    _add_evaluate(commands)
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


def _add_nightly(commands: Any) -> None:
    from flows.options import add_options

    what = "cut the highlights of everything new in an inbox, into a store"
    parser = commands.add_parser("nightly", help=what, description=f"{what.capitalize()}.")
    parser.add_argument("--inbox", required=True, metavar="URI", help="a folder or s3://bucket/prefix")
    parser.add_argument("--store", required=True, metavar="URI", help="a folder or s3://bucket/prefix")
    parser.add_argument("--include", action="append", metavar="PATTERN", help="take only these, such as talks/**/*.mp4")
    parser.add_argument("--exclude", action="append", metavar="PATTERN", help="leave these")
    parser.add_argument(
        "--most-failed", type=float, default=0.2, metavar="N", help="share of failures that is let pass (default: 0.2)"
    )
    parser.add_argument(
        "--cache-gb", type=float, default=50.0, metavar="N", help="disk for fetched recordings (default: 50)"
    )
    parser.add_argument(
        "--settle-s",
        type=float,
        default=60.0,
        metavar="N",
        help="leave local files written this recently for later, in seconds (default: 60)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    add_options(parser)


def _add_status(commands: Any) -> None:
    what = "say what runs, what waits, and how the last nightly ended"
    parser = commands.add_parser("status", help=what, description=f"{what.capitalize()}.")
    parser.add_argument("--store", default=None, metavar="URI", help="the store whose last nightly is told")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_forget(commands: Any) -> None:
    what = "remove everything derived from a recording, from this machine and from a store"
    parser = commands.add_parser("forget", help=what, description=f"{what.capitalize()}.")
    parser.add_argument("sha256", metavar="SHA256", help="of the recording, as its manifest has it")
    parser.add_argument("--store", required=True, metavar="URI", help="the store that holds its clips")


def _add_score(commands: Any) -> None:
    what = "rank the sentences of a transcript that has no recording"
    parser = commands.add_parser("score", help=what, description=f"{what.capitalize()}.")
    parser.add_argument("transcript", metavar="FILE", help="captions, SRT or VTT")
    parser.add_argument("--model", default="champion", metavar="TEXT", help="scoring model (default: champion)")
    parser.add_argument("--about", default=None, metavar="TEXT", help="turn the ranking toward this subject")
    parser.add_argument("--top", type=int, default=None, metavar="N", help="only the N best sentences")
    parser.add_argument("--json", action="store_true", help="print JSON lines, best first")


def _add_models(commands: Any) -> None:
    what = "say which scoring models there are, and choose the one in use"
    parser = commands.add_parser("models", help=what, description=f"{what.capitalize()}.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, what: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=what, description=f"{what.capitalize()}.")

    listing = action("list", "list every version with its aliases, licence and key figure")
    show = action("show", "show a version's manifest and model card")
    use = action("use", "make a version the champion, the model in use")
    promote = action("promote", "point an alias to a version")
    back = action("rollback", "point an alias back to what it pointed to before")
    verify = action("verify", "check the hash of every file of every version, or of one")
    for parser in (show, use, promote):
        parser.add_argument("reference", metavar="REF", help="a name, name@version or alias")
    verify.add_argument("reference", nargs="?", metavar="REF", help="only this one")
    for parser in (listing, show):
        parser.add_argument("--json", action="store_true", help="print JSON")
    for parser in (use, promote):
        parser.add_argument("--accept-licence", action="store_true", help="agree to a licence that asks for consent")
    for parser in (promote, back):
        parser.add_argument("--alias", default="champion", metavar="NAME", help="which alias (default: champion)")


def _add_evaluate(commands: Any) -> None:
    what = "measure a model on labelled lectures, or a run's clips against a truth"
    parser = commands.add_parser("evaluate", help=what, description=f"{what.capitalize()}. Figures are percent.")
    measures = parser.add_subparsers(dest="measure", required=True, metavar="WHAT")
    what = "measure a model on a split of VT-SSum, or of other data in its format"
    data = measures.add_parser("vt-ssum", help=what, description=f"{what.capitalize()}. Figures are percent.")
    data.add_argument("path", metavar="PATH", help="folder with SPLIT_videos, SPLIT_segments and SPLIT_clips .parquet")
    data.add_argument("--split", required=True, metavar="NAME", help="train, dev, test or another split in PATH")
    data.add_argument("--model", default="champion", metavar="TEXT", help="scoring model (default: champion)")
    data.add_argument("--lectures", type=int, default=None, metavar="N", help="only the first N lectures")
    data.add_argument(
        "--train",
        metavar="TEXT",
        help="what the model has learned from: another split in PATH, or a folder with a split named train; figures "
        "are also given without the clips whose text occurs there (default: the split train in PATH, if it is there)",
    )
    what = "compare the final clips of a run with a truth that has times"
    clips = measures.add_parser("lecture", help=what, description=f"{what.capitalize()}. Figures are percent.")
    clips.add_argument("manifest", metavar="MANIFEST.json", help="the manifest.json of a run")
    clips.add_argument("--truth", required=True, metavar="TRUTH.json", help="highlights as spans, or of each sentence")
    for parser in (data, clips):
        parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")


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
        if given.command == "nightly":
            from flows.nightly_command import nightly_command

            return nightly_command(given)
        if given.command == "status":
            from flows.status_command import status_command

            return status_command(given)
        if given.command == "forget":
            from flows.forget_command import forget_command

            return forget_command(given)
        if given.command == "score":
            from flows.score_command import score_command

            return score_command(given)
        if given.command == "models":
            from flows.models_command import models_command

            return models_command(given)
        if given.command == "evaluate":
            from flows.evaluate_command import evaluate_command

            return evaluate_command(given)
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

"""`winnow models`: which models there are, which one is in use, and whether their files are whole."""

import argparse
import json
import sys
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from core.errors import RefusedInput, StoreError, WeightsError
from core.records import ModelRef
from models import aliases, registry
from models.model_cards import flat_metrics, key_metric, told

PIPE_COLUMNS = 140


@dataclass(frozen=True, slots=True)
class Listed:
    """One version that stands in one root: its reference and manifest, or why it cannot be read."""

    name: str
    version: str
    root: str
    ref: ModelRef | None
    manifest: dict[str, Any]
    problem: str

    @property
    def reference(self) -> str:
        return f"{self.name}@{self.version}"


def add_models(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
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


def models_command(given: argparse.Namespace) -> int:
    """Do what `winnow models ACTION` asks. Returns the exit code."""
    if given.action == "list":
        return _list(as_json=given.json)
    if given.action == "show":
        return _show(given.reference, as_json=given.json)
    if given.action == "use":
        return _point(given.reference, registry.CHAMPION, accepted=given.accept_licence)
    if given.action == "promote":
        return _point(given.reference, given.alias, accepted=given.accept_licence)
    if given.action == "rollback":
        return _rollback(given.alias)
    return _verify(given.reference)


def _list(*, as_json: bool) -> int:
    pointing, astray = _pointing()
    rows = [_row(found, pointing) for found in _everything()]
    if as_json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        table = Table(box=None, pad_edge=False)
        for heading in ("model", "kind", "aliases", "licence", "measured", "size", "where"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            metric = row["metric"] and f"{row['metric']['name']} {row['metric']['value']:.4g}"
            cells = [row["reference"], row["kind"], ", ".join(row["aliases"]), row["licence"], metric,
                     row["bytes"] and _size(row["bytes"]), row["root"]]  # fmt: skip
            table.add_row(*(_plain(cell) for cell in cells))
        Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS, markup=False, highlight=False).print(table)
    for problem in [*(row["problem"] for row in rows if row["problem"]), *astray]:
        print(f"winnow: {problem}", file=sys.stderr)
    return 0


def _show(reference: str, *, as_json: bool) -> int:
    ref = registry.resolve(reference, registry.roots())
    manifest, card = registry.read_manifest(ref), registry.read_card(ref)
    names = _pointing()[0].get(ref.uri, [])
    if as_json:
        shown = {"reference": _told(ref), "sha256": ref.sha256, "uri": ref.uri, "aliases": names,
                 "manifest": manifest, "card": card}  # fmt: skip
        print(json.dumps(shown, indent=1, ensure_ascii=False))
        return 0
    facts = {"model": _told(ref), "aliases": ", ".join(names), "sha256": ref.sha256, "stands at": ref.uri}
    facts |= {key.replace("_", " "): told(value) for key, value in manifest.items()
              if key not in ("name", "version", "files", "metrics")}  # fmt: skip
    facts |= {f"  {name}": told(value) for name, value in flat_metrics(manifest).items()}
    facts |= {f"  {name}": _size(entry.get("bytes", 0)) for name, entry in manifest["files"].items()}
    width = max(map(len, facts))
    for name, value in facts.items():
        if value and value != "None":
            print(f"{name:<{width}}  {value}")
    print(f"\n{card.rstrip() or 'It has no model card.'}")
    return 0


def _point(reference: str, alias: str, *, accepted: bool) -> int:
    """Point an alias of the user's registry to a version whose files are whole, after consent where it asks for it."""
    ref = registry.resolve_scoring(reference, registry.roots())
    was = _now_at(alias)
    if was == ref and alias in registry.aliases(registry.user_root()):
        print(f"{alias} is {_told(ref)} already.")
        return 0
    manifest = registry.read_version(ref).manifest
    if manifest.get("consent"):
        _ask_consent(ref, manifest, accepted=accepted)
    aliases.set_alias(registry.user_root(), alias, ref)
    print(f"{alias} is now {_told(ref)}{_before(was, ref)}.")
    return 0


def _ask_consent(ref: ModelRef, manifest: dict[str, Any], *, accepted: bool) -> None:
    """Show the licence, and go on only if it is accepted: by the flag, or by an answer where there is a terminal."""
    if not accepted and not sys.stdin.isatty():
        raise RefusedInput(
            f"{_told(ref)} asks for consent to its licence ({told(manifest.get('licence'))}): read it with "
            f"`winnow models show {_told(ref)}` and give --accept-licence."
        )
    print(f"{_told(ref)}: {told(manifest.get('licence'))}\n\n{manifest['consent'].strip()}\n")
    if accepted:
        print("Accepted with --accept-licence.")
        return
    try:
        answer = input("Do you accept this? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise RefusedInput(f"The licence of {_told(ref)} was not accepted; nothing was changed.")


def _rollback(alias: str) -> int:
    was = _now_at(alias)
    ref = aliases.rollback(registry.user_root(), alias)
    print(f"{alias} is {_told(ref)} again{_before(was, ref)}.")
    return 0


def _verify(reference: str | None) -> int:
    """Read every file of every version, or of one, and compare its hash. Returns 1 if anything is broken."""
    if reference is not None:
        ref = registry.resolve(reference, registry.roots())
        versions = [Listed(ref.name, ref.version, ref.uri, ref, {}, "")]
        broken: list[str] = []
    else:
        versions, broken = _everything(), [*_unfinished(), *_pointing()[1]]
    for found in versions:
        problems = registry.problems(found.ref) if found.ref else [found.problem]
        broken += problems
        if not problems:
            print(f"ok      {found.reference} in {found.root}")
    for problem in broken:
        print(f"BROKEN  {problem}")
    print(f"Versions read: {len(versions)}. Problems: {len(broken) or 'none'}.")
    return 1 if broken else 0


def _everything() -> list[Listed]:
    """Every version in every root, in the order in which references are looked up."""
    return [
        _listed(root, name, version)
        for root in registry.roots()
        for name in registry.names(root)
        for version in registry.versions(root, name)
    ]


def _listed(root: str, name: str, version: str) -> Listed:
    try:
        ref = registry.resolve(f"{name}@{version}", [root])
        return Listed(name, version, root, ref, registry.read_manifest(ref), "")
    except (RefusedInput, WeightsError) as error:
        return Listed(name, version, root, None, {}, str(error))


def _unfinished() -> list[str]:
    return [
        f"{name}@{version}: {registry.in_root(root, name, version)} has files and no manifest. Restore it; "
        "if it is what an interrupted training left, remove the folder."
        for root in registry.roots()
        for name in registry.names(root)
        for version in registry.versions(root, name, unfinished=True)
    ]


def _pointing() -> tuple[dict[str, list[str]], list[str]]:
    """The aliases that lead to each version, by the version's uri; and what is wrong with the others."""
    leading: dict[str, list[str]] = {}
    astray: list[str] = []
    seen: set[str] = set()
    for root in registry.roots():
        try:
            here = registry.aliases(root)
        except StoreError as error:
            astray.append(str(error))
            continue
        for alias, target in here.items():
            try:
                ref = registry.resolve(target, (root, *registry.roots()))
                if alias not in seen:  # else a root that is asked earlier decides
                    leading.setdefault(ref.uri, []).append(alias)
            except (RefusedInput, WeightsError) as error:
                astray.append(f"The alias {alias!r} in {root} points to {target}: {error}")
            seen.add(alias)
    return leading, astray


def _row(found: Listed, pointing: dict[str, list[str]]) -> dict[str, Any]:
    manifest, metric = found.manifest, key_metric(found.manifest)
    return {
        "reference": found.reference,
        "name": found.name,
        "version": found.version,
        "kind": manifest.get("kind"),
        "aliases": pointing.get(found.ref.uri, []) if found.ref else [],
        "licence": manifest.get("licence"),
        "consent": bool(manifest.get("consent")),
        "metric": metric and {"name": metric[0], "value": metric[1]},
        "bytes": sum(entry.get("bytes", 0) for entry in manifest.get("files", {}).values()),
        "created_at": manifest.get("created_at"),
        "root": found.root,
        "sha256": found.ref.sha256 if found.ref else None,
        "problem": found.problem,
    }


def _now_at(alias: str) -> ModelRef | None:
    """What an alias leads to; None where there is no such alias, or it leads nowhere."""
    for root in registry.roots():
        target = registry.aliases(root).get(alias)
        if target is not None:
            try:
                return registry.resolve(target, (root, *registry.roots()))
            except (RefusedInput, WeightsError):
                return None
    return None


def _before(was: ModelRef | None, now: ModelRef) -> str:
    return f" (was {_told(was)})" if was and was != now else ""


def _told(ref: ModelRef) -> str:
    return f"{ref.name}@{ref.version}"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def _plain(value: Any) -> str:
    return "" if value is None else str(value)

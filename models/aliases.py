"""The registry's aliases: moved one at a time, never lost to a second writer, and moved back again.

`<root>/aliases.json` says where each alias points. Beside it `.alias-log/<alias>/<number>.json` keeps every move with
the targets that stand behind it, which is what a rollback returns to. An entry is written before its alias moves, so
one whose writer was killed, or lost a race, may stand there: the newest entry that has the alias's target counts.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from core.errors import RefusedInput, StoreError, WeightsError
from core.records import ModelRef
from models import registry, registry_files
from models.registry import BUILTIN, CHAMPION

LOG = ".alias-log"
MOST_BEHIND = 50
"""How many targets an alias remembers."""


@dataclass(frozen=True, slots=True)
class AliasMove:
    """One move of an alias."""

    alias: str
    to: str
    """What it points to from then on: "name@version"."""
    behind: tuple[str, ...]
    """What rollbacks return to from there, nearest first."""
    how: Literal["set", "rollback"]
    at: str
    """When, ISO 8601, UTC."""


def set_alias(root: str, alias: str, ref: ModelRef, expected: ModelRef | None = None) -> None:
    """Point `alias` in `root` to the version `ref`, which stands in `root` or ships with Winnow.

    With `expected`, only if the alias still means that version, as seen from `root` (an alias that `root` lacks is the
    one that ships): raises StoreError when it has been moved meanwhile. Raises RefusedInput for an alias that cannot
    be one and for a version that the root does not know. Pointing an alias to where it points is a no-op.
    """
    _check_alias(root, alias)
    target = _told(ref)
    try:
        known = registry.resolve(target, (root, BUILTIN)).sha256 == ref.sha256
    except RefusedInput:
        known = False
    if not known:
        raise RefusedInput(f"{target} at {ref.uri} is not in {root}: an alias there cannot point to it.")

    def moved(current: str | None) -> AliasMove:
        if expected is not None and current != _told(expected):
            raise StoreError(
                f"Moving {alias!r} to {target}: it points to {current or 'nothing'} and no longer to "
                f"{_told(expected)}. Somebody has moved it meanwhile; compare with that one and try again."
            )
        behind = () if current is None else _behind(root, alias, current)
        if current not in (None, target):
            behind = (current, *behind)[:MOST_BEHIND]
        return AliasMove(alias, target, behind, "set", _now())

    _move(root, alias, moved)


def rollback(root: str, alias: str = CHAMPION) -> ModelRef:
    """Point `alias` in `root` back to what it pointed to before, one step further back each time; return that.

    Raises RefusedInput when nothing stands behind it, or the version that does is gone.
    """
    _check_alias(root, alias)

    def moved(current: str | None) -> AliasMove:
        behind = () if current is None else _behind(root, alias, current)
        if not behind:
            raise RefusedInput(f"The alias {alias!r} in {root} has no earlier version to return to.")
        try:
            registry.resolve(behind[0], (root, BUILTIN))
        except (RefusedInput, WeightsError) as error:
            raise RefusedInput(
                f"The alias {alias!r} pointed to {behind[0]} before, which cannot be used: {error} "
                "Name another with `winnow models promote REF`."
            ) from error
        return AliasMove(alias, behind[0], behind[1:], "rollback", _now())

    return registry.resolve(_move(root, alias, moved).to, (root, BUILTIN))


def history(root: str, alias: str) -> list[AliasMove]:
    """Every move of an alias in one root, oldest first; moves that a killed writer or a lost race left are among them.

    Entries that cannot be read are left out.
    """
    moves = []
    for name in registry_files.below(registry.in_root(root, LOG, alias)):
        try:
            fields = json.loads(registry_files.read(registry.in_root(root, LOG, alias, name)))
            moves.append(AliasMove(**{**fields, "behind": tuple(fields["behind"])}))
        except (FileNotFoundError, KeyError, TypeError, ValueError):
            continue
    return moves


def _move(root: str, alias: str, moved: Callable[[str | None], AliasMove]) -> AliasMove:
    """Ask `moved` where the alias goes from its present target, log that, and make it so."""
    moves: list[AliasMove] = []

    def changed(content: bytes | None) -> bytes:
        here = {} if content is None else registry.parsed_aliases(content, root)
        current = here.get(alias, registry.aliases(BUILTIN).get(alias))
        move = moved(current)
        if here.get(alias) != move.to:
            _log(root, move)
        moves.append(move)
        return json.dumps(dict(sorted({**here, alias: move.to}.items())), indent=2).encode()

    registry_files.change(registry.in_root(root, registry.ALIASES), changed)
    return moves[-1]


def _log(root: str, move: AliasMove) -> None:
    folder, entry = registry.in_root(root, LOG, move.alias), json.dumps(asdict(move)).encode()
    taken = [int(name.split(".")[0]) for name in registry_files.below(folder) if name.split(".")[0].isdecimal()]
    number = max(taken, default=0) + 1
    while not registry_files.create(f"{folder}/{number:06}.json", entry):
        number += 1


def _behind(root: str, alias: str, target: str) -> tuple[str, ...]:
    """What stands behind the present target; nothing where no move led to it, as when it was written by hand."""
    return next((move.behind for move in reversed(history(root, alias)) if move.to == target), ())


def _check_alias(root: str, alias: str) -> None:
    if root.startswith(BUILTIN):
        raise RefusedInput("The aliases that ship with Winnow are not moved; give a root of your own.")
    if not registry.NAME.fullmatch(alias):
        raise RefusedInput(f"{alias!r} cannot be an alias: use letters, digits, dots, dashes and underscores.")
    if any(registry.versions(place, alias) for place in (root, BUILTIN)):
        raise RefusedInput(f"{alias!r} is the name of a model and cannot be an alias too.")


def _told(ref: ModelRef) -> str:
    return f"{ref.name}@{ref.version}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

"""The registry, read side: immutable versions of models, and aliases as the only thing in it that changes.

A root is a folder on any fsspec file system: `<root>/<name>/<version>/manifest.json` with the files it lists, and
`<root>/aliases.json` ({"champion": "baseline@1"}). The versions that ship with Winnow stand in the root `builtin:`,
which is wherever Winnow is installed, so that a reference to them holds on every machine. A version without its
manifest does not exist. `models.registering` writes versions, `models.aliases` moves aliases.
"""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import RefusedInput, StoreError, WeightsError
from core.home import home
from core.records import ModelRef
from models import registry_files
from models.registry_files import BUILTIN as BUILTIN
from models.registry_files import BUILTIN_FOLDER as BUILTIN_FOLDER
from models.scores import HighlightModel

MANIFEST = "manifest.json"
CARD = "README.md"
ALIASES = "aliases.json"
CHAMPION = "champion"
"""The alias of the model in use."""
NOT_SCORING = {"about": "it finds what is about a subject, and --about TEXT uses it. Choose another model."}
"""Kinds of models that are no highlight models, and what they are for."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Names, versions, aliases and files: one path segment that cannot lead elsewhere."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version, read and verified: every file has the hash that the manifest gives, and that has the reference's."""

    ref: ModelRef
    manifest: dict[str, Any]
    files: dict[str, bytes]


def user_root() -> str:
    """The registry of this machine's user: `WINNOW_REGISTRY`, any fsspec URI, else `models` in Winnow's home folder."""
    named = os.environ.get("WINNOW_REGISTRY", "").strip()
    if "://" in named:
        return named
    return str(Path(named).expanduser().absolute() if named else home() / "models")


def roots() -> tuple[str, ...]:
    """Where references are looked up, first to last: the user's registry, then the versions that ship with Winnow."""
    return (user_root(), BUILTIN)


def resolve(reference: str, roots: Sequence[str] = (BUILTIN,)) -> ModelRef:
    """The version that `reference` means now: "name@version", a name (its newest version), or an alias.

    Roots are asked in order, the first that knows the reference decides; an alias may name a version of its own root
    or of another. Raises RefusedInput, with what there is, when none knows it or an alias leads nowhere; WeightsError
    when the version's manifest cannot be read.
    """
    name, at, wanted = reference.strip().partition("@")
    if NAME.fullmatch(name) and (not at or NAME.fullmatch(wanted)):
        for root in roots:
            found = _version(root, name, wanted) if at else _newest(root, name) or _aliased(root, name, roots)
            if found:
                return found
    known = ", ".join(dict.fromkeys(known for root in roots for known in _known(root))) or "none"
    raise RefusedInput(f"There is no model {reference!r}. Models and aliases here: {known}.")


def resolve_scoring(reference: str, roots: Sequence[str] = (BUILTIN,)) -> ModelRef:
    """The version that `reference` means, as `resolve`, where a model that scores is asked for.

    Raises RefusedInput for one that is known to do something else. A kind that nobody knows is left to `load`.
    """
    ref = resolve(reference, roots)
    kind = read_manifest(ref).get("kind")
    if kind in NOT_SCORING:
        raise RefusedInput(f"{ref.name}@{ref.version} does not score moments: {NOT_SCORING[kind]}")
    return ref


def load(ref: ModelRef, threads: int) -> HighlightModel:
    """Load the model that `ref` names, its hash verified. Raises WeightsError on a mismatch or an unknown kind."""
    kind = read_manifest(ref).get("kind")
    if kind == "baseline":
        from models import baseline

        return baseline.load(ref, threads=threads)
    if kind == "highlight":
        from models import learned

        return learned.load(ref, threads=threads)
    raise WeightsError(
        f"Loading {ref.name}@{ref.version}: this Winnow knows no models of kind {kind!r}. "
        "Update Winnow, or use another."
    )


def read_manifest(ref: ModelRef) -> dict[str, Any]:
    """A version's manifest. Raises WeightsError when it is missing or not the one that the reference was made of."""
    manifest = _parsed_manifest(ref.name, ref.version, ref.uri)
    found = manifest_sha256(manifest)
    if found != ref.sha256:
        raise _broken(ref, f"it has sha256 {found} and should have {ref.sha256}")
    return manifest


def read_version(ref: ModelRef) -> Version:
    """Read a version's manifest and files. Raises WeightsError when one is missing or has another hash."""
    manifest = read_manifest(ref)
    return Version(ref, manifest, {name: _read_file(ref, manifest, name) for name in manifest["files"]})


def read_card(ref: ModelRef) -> str:
    """A version's model card, Markdown; empty where it has none. Raises WeightsError when it has another hash."""
    manifest = read_manifest(ref)
    return _read_file(ref, manifest, CARD).decode("utf-8", "replace") if CARD in manifest["files"] else ""


def problems(ref: ModelRef) -> list[str]:
    """What is wrong with a version's files, a sentence each; empty where every hash holds."""
    manifest, found = read_manifest(ref), []
    for name in manifest["files"]:
        try:
            _read_file(ref, manifest, name)
        except (WeightsError, StoreError) as error:
            found.append(str(error))
    return found


def manifest_sha256(manifest: dict[str, Any]) -> str:
    """A version's identity: sha256 of its manifest (file hashes included) as canonical JSON."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def names(root: str) -> list[str]:
    """Names of the models in a root that have a version or had one begun, sorted."""
    return [name for name in registry_files.folders(root) if NAME.fullmatch(name)]


def versions(root: str, name: str, *, unfinished: bool = False) -> list[str]:
    """Versions of a name in one root, oldest first; with `unfinished` those with files and no manifest."""
    parts = [path.split("/") for path in registry_files.below(in_root(root, name))]
    begun = {part[0] for part in parts if len(part) > 1 and NAME.fullmatch(part[0])}
    complete = {part[0] for part in parts if part[1:] == [MANIFEST]} & begun
    return sorted(begun - complete if unfinished else complete, key=_age)


def aliases(root: str) -> dict[str, str]:
    """What each alias in one root points to, as "name@version". Raises StoreError when the file is damaged."""
    try:
        return parsed_aliases(registry_files.read(in_root(root, ALIASES)), root)
    except FileNotFoundError:
        return {}


def parsed_aliases(data: bytes, root: str) -> dict[str, str]:
    """The content of an `aliases.json` that stands in `root`. Raises StoreError when it is not a table of names."""
    try:
        found = json.loads(data)
        if not isinstance(found, dict) or not all(isinstance(target, str) for target in found.values()):
            raise ValueError("it is not an object of names")
    except ValueError as error:
        raise StoreError(f"Reading {in_root(root, ALIASES)} failed: {error}. Restore it or remove it.") from error
    return found


def in_root(root: str, *parts: str) -> str:
    """The URI of something in a root."""
    return (root if root.endswith((":", "/")) else f"{root}/") + "/".join(parts)


def _newest(root: str, name: str) -> ModelRef | None:
    found = versions(root, name)
    return _reference(root, name, found[-1]) if found else None


def _version(root: str, name: str, version: str) -> ModelRef | None:
    return _reference(root, name, version) if version in versions(root, name) else None


def _aliased(root: str, alias: str, roots: Sequence[str]) -> ModelRef | None:
    target = aliases(root).get(alias)
    if target is None:
        return None
    name, _, version = target.partition("@")
    if NAME.fullmatch(name) and NAME.fullmatch(version):
        for place in dict.fromkeys([root, *roots]):
            found = _version(place, name, version)
            if found:
                return found
    raise RefusedInput(
        f"The alias {alias!r} in {root} points to {target}, which is nowhere in {', '.join(roots)}. "
        f"Point it elsewhere with `winnow models promote REF --alias {alias}`."
    )


def _reference(root: str, name: str, version: str) -> ModelRef:
    uri = in_root(root, name, version)
    return ModelRef(name, version, manifest_sha256(_parsed_manifest(name, version, uri)), uri)


def _parsed_manifest(name: str, version: str, uri: str) -> dict[str, Any]:
    try:
        manifest = json.loads(registry_files.read(f"{uri}/{MANIFEST}"))
        if not isinstance(manifest, dict) or (manifest.get("name"), manifest.get("version")) != (name, version):
            raise ValueError(f"it does not describe {name}@{version}")
        files = manifest.get("files")
        if not isinstance(files, dict) or not all(isinstance(e, dict) and "sha256" in e for e in files.values()):
            raise ValueError("it does not list its files with their sha256")
    except (FileNotFoundError, StoreError, ValueError) as error:
        raise WeightsError(
            f"Reading the manifest of {name}@{version} at {uri} failed: {error}. Restore that version or use another."
        ) from error
    return manifest


def _read_file(ref: ModelRef, manifest: dict[str, Any], name: str) -> bytes:
    if not NAME.fullmatch(name):
        raise _broken(ref, f"its manifest lists {name!r}, which is not a plain file name")
    try:
        data = registry_files.read(f"{ref.uri}/{name}")
    except (FileNotFoundError, StoreError) as error:
        raise _broken(ref, f"{name} cannot be read ({error})") from error
    found, wanted = hashlib.sha256(data).hexdigest(), manifest["files"][name]["sha256"]
    if found != wanted:
        raise _broken(ref, f"{name} has sha256 {found} and should have {wanted}")
    return data


def _broken(ref: ModelRef, why: str) -> WeightsError:
    return WeightsError(f"Loading {ref.name}@{ref.version} from {ref.uri}: {why}. Restore that version or use another.")


def _age(version: str) -> tuple[int, str]:
    """Versions are numbers; anything else comes before them, in order of the alphabet."""
    return (int(version), "") if version.isdecimal() else (-1, version)


def _known(root: str) -> list[str]:
    return [*aliases(root), *(f"{name}@{version}" for name in names(root) for version in versions(root, name))]

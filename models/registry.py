"""The registry, read side: immutable versions of models, and aliases as the only thing in it that changes.

A root is a folder on any fsspec file system: `<root>/<name>/<version>/manifest.json` with the files it lists, and
`<root>/aliases.json` ({"champion": "baseline@1"}). The versions that ship with Winnow stand in the root `builtin:`,
which is wherever Winnow is installed, so that a reference to them holds on every machine.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import RefusedInput, WeightsError
from core.records import ModelRef
from models.scores import HighlightModel

BUILTIN = "builtin:"
BUILTIN_FOLDER = Path(__file__).parent / "builtin"
MANIFEST = "manifest.json"
ALIASES = "aliases.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Names, versions, aliases and files: one path segment that cannot lead elsewhere."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version, read and verified: every file has the hash that the manifest gives, and that has the reference's."""

    ref: ModelRef
    manifest: dict[str, Any]
    files: dict[str, bytes]


def resolve(reference: str, roots: Sequence[str] = (BUILTIN,)) -> ModelRef:
    """The version that `reference` means now: "name@version", an alias, or a name (its newest version).

    Roots are asked in order, the first that knows the reference decides. Raises RefusedInput, with what there is, when
    none does.
    """
    name, at, wanted = reference.strip().partition("@")
    if NAME.fullmatch(name) and (not at or NAME.fullmatch(wanted)):
        for root in roots:
            found = _find(root, name, wanted or None)
            if found:
                return found
    known = ", ".join(dict.fromkeys(known for root in roots for known in _listed(root))) or "none"
    raise RefusedInput(f"There is no model {reference!r}. Models and aliases here: {known}.")


def load(ref: ModelRef, threads: int) -> HighlightModel:
    """Load the model that `ref` names, its hash verified. Raises WeightsError on a mismatch or an unknown kind."""
    kind = _manifest(ref).get("kind")
    if kind == "baseline":
        from models import baseline

        return baseline.load(ref, threads=threads)
    raise WeightsError(
        f"Loading {ref.name}@{ref.version}: this Winnow knows no models of kind {kind!r}. "
        "Update Winnow, or use another."
    )


def read_version(ref: ModelRef) -> Version:
    """Read a version's manifest and files. Raises WeightsError when one is missing or has another hash."""
    manifest = _manifest(ref)
    files: dict[str, bytes] = {}
    for name, entry in manifest["files"].items():
        if not NAME.fullmatch(name):
            raise _broken(ref, f"its manifest lists {name!r}, which is not a plain file name")
        try:
            files[name] = _read(f"{ref.uri}/{name}")
        except OSError as error:
            raise _broken(ref, f"{name} cannot be read ({error})") from error
        found = hashlib.sha256(files[name]).hexdigest()
        if found != entry["sha256"]:
            raise _broken(ref, f"{name} has sha256 {found} and should have {entry['sha256']}")
    return Version(ref, manifest, files)


def manifest_sha256(manifest: dict[str, Any]) -> str:
    """A version's identity: sha256 of its manifest (file hashes included) as canonical JSON."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _find(root: str, name: str, version: str | None) -> ModelRef | None:
    if version is None:
        version = max(_versions(root, name), key=_age, default=None)
    if version is None:
        target = _aliases(root).get(name, "")
        name, _, version = target.partition("@")
    if not version or version not in _versions(root, name):
        return None
    uri = f"{_with_slash(root)}{name}/{version}"
    return ModelRef(name, version, manifest_sha256(_parsed_manifest(name, version, uri)), uri)


def _parsed_manifest(name: str, version: str, uri: str) -> dict[str, Any]:
    try:
        manifest = json.loads(_read(f"{uri}/{MANIFEST}"))
        if not isinstance(manifest, dict) or (manifest.get("name"), manifest.get("version")) != (name, version):
            raise ValueError(f"it does not describe {name}@{version}")
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"Reading the manifest of {name}@{version} at {uri} failed: {error}. Restore that version or use another."
        ) from error
    return manifest


def _manifest(ref: ModelRef) -> dict[str, Any]:
    manifest = _parsed_manifest(ref.name, ref.version, ref.uri)
    found = manifest_sha256(manifest)
    if found != ref.sha256:
        raise _broken(ref, f"it has sha256 {found} and should have {ref.sha256}")
    return manifest


def _broken(ref: ModelRef, why: str) -> WeightsError:
    return WeightsError(f"Loading {ref.name}@{ref.version} from {ref.uri}: {why}. Restore that version or use another.")


def _versions(root: str, name: str) -> list[str]:
    return [entry for entry in _names(f"{_with_slash(root)}{name}") if NAME.fullmatch(entry)]


def _age(version: str) -> tuple[int, str]:
    """Versions are numbers; anything else comes before them, in order of the alphabet."""
    return (int(version), "") if version.isdecimal() else (-1, version)


def _listed(root: str) -> list[str]:
    names = [name for name in _names(root) if NAME.fullmatch(name)]
    return [*_aliases(root), *(f"{name}@{version}" for name in names for version in _versions(root, name))]


def _aliases(root: str) -> dict[str, str]:
    try:
        return {str(alias): str(target) for alias, target in json.loads(_read(f"{_with_slash(root)}{ALIASES}")).items()}
    except FileNotFoundError:
        return {}


def _with_slash(root: str) -> str:
    return root if root.endswith((":", "/")) else f"{root}/"


def _place(uri: str) -> str:
    """`uri` with `builtin:` replaced by the folder that stands for it on this machine."""
    return str(BUILTIN_FOLDER / uri.removeprefix(BUILTIN)) if uri.startswith(BUILTIN) else uri


def _read(uri: str) -> bytes:
    from fsspec.core import url_to_fs

    files, path = url_to_fs(_place(uri))
    return files.cat_file(path)


def _names(uri: str) -> list[str]:
    """Names of the folders in a folder, sorted; none where it is missing."""
    from fsspec.core import url_to_fs

    files, path = url_to_fs(_place(uri))
    if not files.isdir(path):
        return []
    folders = [entry["name"] for entry in files.ls(path, detail=True) if entry["type"] == "directory"]
    return sorted(folder.rstrip("/").rsplit("/", 1)[-1] for folder in folders)

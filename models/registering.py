"""The registry, write side: a trained model becomes the next immutable version of its name.

Versions are numbered 1, 2, 3 … A version appears complete or not at all and is never written again; of writers that
race for a number one gets it, the others take the next. Weights are safetensors: what could hold code is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version as package_version
from pathlib import PurePosixPath
from typing import Any

from core.errors import RefusedInput, StoreError
from core.records import ModelRef
from models import registry, registry_files
from models.model_cards import model_card

NEEDED = ("kind", "description", "licence")
OURS = ("name", "version", "files", "parent")
"""What a manifest holds that its maker does not choose."""
SUFFIXES = (".safetensors", ".json", ".yaml", ".md", ".txt", ".csv", ".png", ".svg")
"""Kinds of files that can be read without running anything."""
MOST_RACERS = 1_000


def register(
    root: str,
    name: str,
    files: Mapping[str, bytes],
    manifest: Mapping[str, Any],
    parent: ModelRef | None = None,
) -> ModelRef:
    """Write the next version of `name` under `root`, any fsspec URI, and return the reference to it.

    Args:
        files: Content by plain file name. Without a `README.md` among them, a model card is made from the manifest.
        manifest: What is known of the version, as JSON: kind, description and licence at least; by convention also
            consent (text to agree to before use), trained_on, encoder, metrics, data_fingerprint, code_version,
            created_at. The last two are filled in where missing; name, version, files and parent are ours.
        parent: The version that it was made from.

    Raises RefusedInput for a name, file or manifest that cannot be taken, StoreError when the storage cannot be
    written. Nothing counts then, though a number may be used up.
    """
    _check_name(root, name)
    _check_files(files)
    fields = _fields(manifest, parent)
    first = _next_number(root, name)
    for number in range(first, first + MOST_RACERS):
        uri = registry.in_root(root, name, str(number))
        described, contents = _complete(name, str(number), fields, files)
        if registry_files.create_folder(uri, contents, last=registry.MANIFEST):
            return ModelRef(name, str(number), registry.manifest_sha256(described), uri)
    raise StoreError(f"Writing a version of {name} to {root}: {MOST_RACERS} numbers from {first} on are taken.")


def _next_number(root: str, name: str) -> int:
    """One more than every number that is taken, finished or not.

    The versions of that name that ship with Winnow count too, so that "name@version" means one thing on a machine.
    """
    taken = {0}
    for path in [*registry_files.below(registry.in_root(root, name)),
                 *registry_files.below(registry.in_root(registry.BUILTIN, name))]:  # fmt: skip
        parts = path.split("/")
        number = parts[1] if parts[0] == registry_files.CLAIMS and len(parts) > 1 else parts[0]
        if number.isdecimal():
            taken.add(int(number))
    return max(taken) + 1


def _complete(
    name: str, version: str, fields: Mapping[str, Any], files: Mapping[str, bytes]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest of this number, and all files with it."""
    described: dict[str, Any] = {"name": name, "version": version, **fields}
    contents = {registry.CARD: model_card(described).encode(), **files}
    described["files"] = {
        file: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for file, data in sorted(contents.items())
    }
    contents[registry.MANIFEST] = json.dumps(described, indent=2, ensure_ascii=False).encode()
    return described, contents


def _fields(manifest: Mapping[str, Any], parent: ModelRef | None) -> dict[str, Any]:
    """The manifest's fields as JSON gives them back, with those that are filled in."""
    lacking = [field for field in NEEDED if not str(manifest.get(field) or "").strip()]
    chosen = [field for field in OURS if field in manifest]
    if lacking or chosen:
        why = f"lacks {', '.join(lacking)}" if lacking else f"must leave {', '.join(chosen)} to the registry"
        raise RefusedInput(f"Registering a model: its manifest {why}.")
    fields = {
        **manifest,
        "parent": parent and {"name": parent.name, "version": parent.version, "sha256": parent.sha256},
        "code_version": manifest.get("code_version") or f"winnow {package_version('winnow')}",
        "created_at": manifest.get("created_at") or datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        return json.loads(json.dumps(fields, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise RefusedInput(f"Registering a model: its manifest is no JSON: {error}.") from error


def _check_name(root: str, name: str) -> None:
    if root.startswith(registry.BUILTIN):
        raise RefusedInput("The versions that ship with Winnow are not written; give a root of your own.")
    if not registry.NAME.fullmatch(name):
        raise RefusedInput(f"A model cannot be called {name!r}: use letters, digits, dots, dashes and underscores.")
    if name == registry.ALIASES or any(name in registry.aliases(place) for place in (root, registry.BUILTIN)):
        raise RefusedInput(f"A model cannot be called {name!r}: that is an alias. Choose another name.")


def _check_files(files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        if not registry.NAME.fullmatch(name) or name == registry.MANIFEST:
            raise RefusedInput(f"A version cannot hold a file called {name!r}.")
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in SUFFIXES:
            raise RefusedInput(
                f"A version cannot hold {name!r}: only {', '.join(SUFFIXES)} files, which hold no code. "
                "Save weights as safetensors."
            )
        if suffix == ".safetensors" and not _is_safetensors(data):
            raise RefusedInput(f"{name} is not a complete safetensors file. Save the weights again.")


def _is_safetensors(data: bytes) -> bool:
    """True if the header is one and the tensors it lists fill the rest exactly.

    Layout from huggingface/safetensors, README: 8 bytes of header length, little-endian; the header, JSON; the data.
    """
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length])
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        return len(data) == 8 + length + max(ends, default=0)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return False

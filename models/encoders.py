"""Text encoders by name: one that Winnow knows, a folder on this machine, or a repository on the Hugging Face hub.

A repository is looked for in Winnow's home, as `weights/<org>--<name>[@<revision>]`, and downloaded there only if
WINNOW_ALLOW_DOWNLOADS=1 is set. Weights are safetensors; nothing is unpickled and no code of a repository is run.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from core.errors import WeightsError
from core.files import to_path
from core.home import home
from models import pretrained
from models.taking_turns import loading

WEIGHTS = "model.safetensors"
FILES = (WEIGHTS, "config.json", "tokenizer.json")
"""What an encoder's folder has to hold."""
WANTED = (*FILES, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json",
          "merges.txt", "*.model")  # fmt: skip
"""What is downloaded of a repository: patterns of its files."""
HUB_ID = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@(\w[\w./-]*))?", re.ASCII)
"""`org/name` or `org/name@revision`."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """A text encoder that is here; nothing of it is loaded."""

    name: str
    """By which it is found again: its known name, the absolute path of its folder, or its id on the hub."""
    folder: Path
    sha256: str
    """Of its weights; its identity."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes that a network on top of an encoder has to have."""

    vocabulary: int
    """Token numbers lie below it."""
    dimension: int
    """Length of its vectors."""


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """The weights of an encoder that training has changed; the others are those of the encoder it began with."""

    data: bytes
    """A safetensors file."""
    sha256: str


def resolve(name: str) -> Encoder:
    """The encoder that `name` means: a known name or alias, a folder that holds FILES, or an id on the hub.

    Raises WeightsError, with what to do, where it is not here, is not whole, or is none of the three.
    """
    for network in pretrained.NETWORKS:
        if name in (network.name, network.alias, network.upstream) and network.files[0][0] == WEIGHTS:
            return Encoder(network.name, pretrained.locate(network.name), network.sha256)
    folder = to_path(name).expanduser()
    if name and folder.is_dir():
        return _in_folder(str(folder.absolute()), folder.absolute())
    on_hub = HUB_ID.fullmatch(name)
    if on_hub:
        return _in_folder(name, _kept(name, on_hub[1], on_hub[2]))
    known = ", ".join(network.name for network in pretrained.NETWORKS if network.files[0][0] == WEIGHTS)
    raise WeightsError(
        f"There is no text encoder {name!r}: give {known}, a folder that holds {', '.join(FILES)}, "
        "or a repository of the Hugging Face hub as org/name@revision."
    )


def expect(name: str, sha256: str, what: str) -> Encoder:
    """The encoder that `what` was trained with. Raises WeightsError where `name` now has other bytes."""
    found = resolve(name)
    if found.sha256 != sha256:
        raise WeightsError(
            f"Loading {what}: it was trained with a text encoder {name} of sha256 {sha256}, and the one in "
            f"{found.folder} has {found.sha256}. Put back the one it was trained with, or use another version."
        )
    return found


def shape(encoder: Encoder) -> Shape:
    """The sizes in the encoder's config.json. Raises WeightsError where it describes no encoder of one text."""
    try:
        with loading():
            from transformers import AutoConfig

            config = AutoConfig.from_pretrained(encoder.folder, local_files_only=True, trust_remote_code=False)
        if config.is_encoder_decoder:
            raise ValueError("it writes text as well, and only what reads alone is an encoder")
        return Shape(int(config.vocab_size), int(config.hidden_size))
    except (OSError, ValueError, AttributeError) as error:
        raise WeightsError(
            f"Reading {encoder.folder / 'config.json'} failed: {error}. Choose an encoder that transformers has a "
            "class for."
        ) from error


def _in_folder(name: str, folder: Path) -> Encoder:
    lacking = [file for file in FILES if not (folder / file).is_file()]
    if lacking:
        raise WeightsError(
            f"The text encoder in {folder} lacks {' and '.join(lacking)}. Save it with transformers' save_pretrained, "
            "its tokenizer too, or copy it again."
        )
    return Encoder(name, folder, pretrained.hash_of(folder / WEIGHTS, home()))


def _kept(name: str, repository: str, revision: str | None) -> Path:
    """Where a repository lies in the home folder, downloaded if that is allowed and it is not there."""
    at = f"@{revision.replace('/', '--')}" if revision else ""
    folder = home() / "weights" / f"{repository.replace('/', '--')}{at}"
    if folder.is_dir():
        return folder
    if os.environ.get(pretrained.ALLOW_DOWNLOADS) != "1":
        raise WeightsError(
            f"The text encoder {name} is not on this machine (nor is it a folder here): set "
            f"{pretrained.ALLOW_DOWNLOADS}=1 to download it from the Hugging Face hub, or put {', '.join(FILES)} of "
            f"it into {folder}."
        )
    return _download(name, repository, revision, folder)


def _download(name: str, repository: str, revision: str | None, target: Path) -> Path:
    """Download into a folder aside, where a stopped download goes on, and move it into place when it is whole."""
    from huggingface_hub import snapshot_download

    aside = target.with_name(f".{target.name}.part")
    try:
        snapshot_download(repository, revision=revision, local_dir=aside, allow_patterns=list(WANTED))
        lacking = [file for file in FILES if not (aside / file).is_file()]
        if not lacking:
            aside.rename(target)
    except Exception as error:  # the hub's HTTP library has errors of its own: not all of them are an OSError
        if target.is_dir():
            return target  # another process was first
        raise WeightsError(
            f"Downloading the text encoder {name} failed: {error} Check the name and the connection, and try again."
        ) from error
    if lacking:
        shutil.rmtree(aside, ignore_errors=True)
        raise WeightsError(
            f"The repository {name} holds no {' and no '.join(lacking)}, which Winnow needs (it reads no pickled "
            "weights). Choose another encoder or revision, or convert it into a folder and give that."
        )
    return target

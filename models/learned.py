"""A trained highlight model: its files in the registry, and what it says of a timeline."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.errors import WeightsError
from core.records import ModelRef
from models import blending, borders
from models.blending import Prior
from models.borders import Borders
from models.encoders import Tuned
from models.lecture_input import EXTRAS, MAX_TOKENS, LectureInput, Tokens, lecture_input
from models.scores import Scores
from models.taking_turns import tokenizing

if TYPE_CHECKING:
    from models.highlight import HighlightNetwork

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
TUNED = "encoder.safetensors"
"""What fine-tuning changed in the text encoder; only versions that were fine-tuned have it."""
BORDERS = "borders.safetensors"
"""The n-gram model of topic ends; only versions that were fitted to topics told by slides have it."""
EMBEDDING_SHARE = 0.95
"""Share of the progress that goes to embedding the sentences."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """A loaded version. The text encoder is loaded when there is text to score."""

    ref: ModelRef
    network: "HighlightNetwork"
    encoder: str
    threads: int
    tuned: Tuned | None = None
    """Where the encoder was fine-tuned: what takes the place of its own weights."""
    borders: Borders | None = None
    """Where there is one: it tells topic ends together with the network."""
    prior: Prior | None = None
    """Where there is one: it scores together with the network."""

    def predict(self, timeline: pa.Table, *, on_progress: Callable[[float], None] | None = None) -> Scores:
        return predict(self, timeline, on_progress=on_progress)


def files_of(network: "HighlightNetwork") -> dict[str, bytes]:
    """The files that make a version: config.json and the weights as 16-bit floats in safetensors."""
    import torch
    from safetensors.torch import save

    halves = {name: value.detach().cpu().to(torch.float16).contiguous() for name, value in network.state_dict().items()}
    config = json.dumps(dataclasses.asdict(network.config), indent=2)
    return {CONFIG: config.encode() + b"\n", WEIGHTS: save(halves)}


def load(ref: ModelRef, *, threads: int) -> Highlight:
    """Load a version, every hash checked, also that of its text encoder.

    Raises WeightsError when its files are not those of such a network, or its encoder is not here as it was.
    """
    from models import registry

    version = registry.read_version(ref)
    try:
        return assembled(ref, version.files, version.manifest, threads=threads)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"Loading {ref.name}@{ref.version}: its files are not ones this Winnow can read ({error!r}). "
            "Use another version, or update Winnow."
        ) from error


def assembled(ref: ModelRef, files: dict[str, bytes], manifest: dict[str, Any], *, threads: int) -> Highlight:
    """What a version's files and manifest make, also before they are one."""
    from models import encoders

    network, entry = network_of(files), manifest["encoder"]
    base = encoders.expect(entry["name"], entry["sha256"], f"{ref.name}@{ref.version}")
    own = entry.get("own")
    tuned = Tuned(files[own], hashlib.sha256(files[own]).hexdigest()) if own else None
    fitted = borders.from_bytes(files[BORDERS]) if BORDERS in files else None
    return Highlight(ref, network, base.name, threads, tuned, fitted, blending.from_manifest(manifest.get("prior")))


def network_of(files: dict[str, bytes]) -> "HighlightNetwork":
    """The network that `files_of` wrote, in float32 and ready to predict."""
    from safetensors.torch import load as load_tensors

    from models.highlight import HighlightConfig, HighlightNetwork

    network = HighlightNetwork(HighlightConfig(**json.loads(files[CONFIG])))
    network.load_state_dict({name: value.float() for name, value in load_tensors(files[WEIGHTS]).items()})
    return network.eval()


def predict(model: Highlight, timeline: pa.Table, *, on_progress: Callable[[float], None] | None = None) -> Scores:
    """Score every row of `timeline`; rows without text get what the rows beside them get.

    A timeline without any text is scored by the baseline, which looks at picture and sound alone. Parts: `words`, the
    score that the network would give without knowing the slides; `slide`, how much they add (0.5: nothing); `baseline`,
    what its prior says, where it has one. Topic ends are told from the words alone, as they were learned; in recordings
    also from the pauses and slides that its prior sees.
    """
    from models import baseline, embeddings, encoders, registry, text

    texts = [(text or "").strip() for text in timeline["text"].to_pylist()]
    said = np.array([i for i, text in enumerate(texts) if baseline.WORD.search(text)], dtype=np.int64)
    if not len(said):
        return baseline.load(registry.resolve("baseline"), threads=model.threads).predict(timeline)
    spoken = [texts[i] for i in said]
    tokens = tokenised(text.tokenizer(encoders.resolve(model.encoder).folder), spoken)
    vectors = None
    if model.network.config.vector_size:
        told = (lambda share: on_progress(share * EMBEDDING_SHARE)) if on_progress else None
        vectors = embeddings.vectors_of(model.encoder, spoken, model.threads, on_progress=told, tuned=model.tuned)
    rows = timeline.take(pa.array(said))
    slides = slide_numbers(rows)
    rarity = model.network.rarity.numpy()
    extras = extra_columns(rows)
    plain = run(model.network, lecture_input(tokens, rarity, vectors=vectors, extras=extras))
    shown = plain
    if slides is not None:
        shown = run(model.network, lecture_input(tokens, rarity, slides=slides, vectors=vectors, extras=extras))
    if on_progress:
        on_progress(1.0)
    highlight, boundary = shown[0], plain[1]
    parts = {"words": plain[0], "slide": np.clip(0.5 + (shown[0] - plain[0]) / 2, 0, 1)}
    if model.prior:
        asked = baseline.load(model.prior.ref, threads=model.threads).predict(rows)
        parts["baseline"] = asked.highlight
        highlight = blending.blended(highlight, asked.highlight, model.prior.weight)
        if asked.boundary is not None and rows["start_s"].null_count < rows.num_rows:
            boundary = blending.either(boundary, asked.boundary)
    if model.borders:
        boundary = model.borders.mixed(tokens, rarity, boundary)
    place = np.clip(np.searchsorted(said, np.arange(len(texts)), "right") - 1, 0, None)
    return Scores(
        highlight=highlight[place],
        boundary=boundary[place],
        parts={name: values[place] for name, values in parts.items()},
    )


def run(network: "HighlightNetwork", found: LectureInput) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities of highlight [n] and of topic end [n]."""
    import torch

    from models.highlight import Batch

    with torch.inference_mode():
        highlight, boundary = network(Batch.of(found))
        return highlight.sigmoid().double().numpy(), boundary.sigmoid().double().numpy()


def tokenised(tokenizer: Any, texts: list[str]) -> Tokens:
    """The encoder's word pieces of each text, without its marks of begin and end."""
    with tokenizing():
        found = tokenizer(texts, add_special_tokens=False, truncation=True, max_length=MAX_TOKENS)
    return Tokens.of(found["input_ids"])


def slide_numbers(rows: pa.Table) -> NDArray[np.int64] | None:
    """The column `slide`, a gap filled with what was on screen before it; None where no slide is known."""
    known = rows["slide"].to_numpy(zero_copy_only=False).astype(np.float64)
    if not np.isfinite(known).any():
        return None
    at = np.maximum.accumulate(np.where(np.isfinite(known), np.arange(len(known)), 0))
    return np.nan_to_num(known[at], nan=-1).astype(np.int64)


def extra_columns(rows: pa.Table) -> NDArray[np.float64]:
    """Columns EXTRAS [n, len(EXTRAS)], NaN where null."""
    return np.stack([_floats(rows[name]) for name in EXTRAS], axis=1)


def _floats(column: Any) -> NDArray[np.float64]:
    return column.to_numpy(zero_copy_only=False).astype(np.float64)

"""From the best checkpoint to a version in the registry: calibrated, measured, described."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.errors import RefusedInput
from core.machine import cores, has_bfloat16
from core.records import ModelRef
from models import encoders, registering
from models.encoders import Tuned
from models.learned import TUNED, Highlight, files_of, network_of
from training.corpus import Corpus
from training.data import LectureData, example_of
from training.evaluation import evaluate_vt_ssum
from training.module import HighlightModule

ABOUT_LICENCE = {
    "vt_ssum": (
        "CC-BY-NC-ND-4.0",
        "Trained on VT-SSum (Lv et al. 2021), which is CC BY-NC-ND 4.0: for research, not for commercial use. "
        "https://creativecommons.org/licenses/by-nc-nd/4.0/",
    ),
    "meetings": ("CC-BY-4.0", None),
    "sample": ("Apache-2.0", None),
}
"""Licence of weights trained on each source, and what a user has to agree to."""


def load_checkpoint(path: Path) -> HighlightModule:
    """What a Lightning checkpoint holds. Only tensors and plain values are read: nothing in it is run."""
    found = torch.load(path, map_location="cpu", weights_only=True)
    module = HighlightModule(**{key: value for key, value in found["hyper_parameters"].items() if key[0] != "_"})
    module.on_load_checkpoint(found)
    module.load_state_dict(found["state_dict"])
    return module.eval()


def calibrate(module: HighlightModule, corpus: Corpus) -> None:
    """Set the network's scale and shift so that its probabilities fit the corpus (Platt 1999), by Newton steps."""
    network = module.network
    logits: dict[int, list[torch.Tensor]] = {0: [], 1: []}
    truth: dict[int, list[torch.Tensor]] = {0: [], 1: []}
    network.scale.fill_(1.0)
    network.shift.fill_(0.0)
    rarity = network.rarity.numpy()
    with torch.inference_mode():
        for index in range(len(corpus)):
            lecture, vectors = corpus[index], None
            for head, shown in ((0, True), (1, False)):
                batch, targets = example_of(lecture, rarity, show_slides=shown)
                if vectors is None:  # the encoder where it was fine-tuned computes as it will in use
                    with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16()):
                        vectors = module.heard(batch).vectors
                batch = batch._replace(vectors=vectors)
                known = (targets.label, targets.last)[head]
                logits[head].append(network(batch)[head][known >= 0])
                truth[head].append(known[known >= 0])
    for head in (0, 1):
        x, y = torch.cat(logits[head]).double(), torch.cat(truth[head]).double()
        if len(x) and 0 < y.mean() < 1:
            scale, shift = _platt(x.numpy(), y.numpy())
            network.scale[head], network.shift[head] = scale, shift


def _platt(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Scale and shift of the logits x that make the labels y most likely."""
    found = np.array([1.0, 0.0])
    columns = np.stack([x, np.ones_like(x)])
    for _ in range(30):
        p = 1 / (1 + np.exp(-found @ columns))
        gradient = columns @ (p - y)
        step = np.linalg.solve((columns * (p * (1 - p))) @ columns.T + 1e-6 * np.eye(2), gradient)
        found -= step
        if np.abs(step).max() < 1e-8:
            break
    return (float(found[0]), float(found[1])) if found[0] > 0 else (1.0, 0.0)


def register_checkpoint(checkpoint: Path, data: LectureData, name: str, root: str, description: str) -> ModelRef:
    """Calibrate and measure the network of a checkpoint on the dev split, and make it the next version of `name`.

    A fine-tuned encoder goes with it, as far as it was changed.
    """
    data.setup("fit")
    module = load_checkpoint(checkpoint)
    calibrate(module, data.corpora["dev"])
    files = files_of(module.network)
    if module.encoder:
        files[TUNED] = module.encoder.saved()
    if data.source not in ABOUT_LICENCE:
        raise RefusedInput(f"There is no data source {data.source!r}.")
    licence, consent = ABOUT_LICENCE[data.source]
    manifest: dict[str, Any] = {
        "kind": "highlight",
        "description": description,
        "licence": licence,
        "trained_on": [{"source": data.source, "lectures": len(data.corpora["train"])}],
        "encoder": encoder_entry(data.encoder) | ({"own": TUNED} if TUNED in files else {}),
        "data_fingerprint": data.corpora["train"].fingerprint,
        "metrics": measured(files, data),
    }
    if consent:
        manifest["consent"] = consent
    return registering.register(root, name, files, manifest)


def encoder_entry(name: str) -> dict[str, str]:
    """The text encoder as a version's manifest names it."""
    found = encoders.resolve(name)
    return {"name": found.name, "file": encoders.WEIGHTS, "sha256": found.sha256}


def measured(files: dict[str, bytes], data: LectureData) -> dict[str, Any]:
    """The figures of the dev split, of the weights as they are stored; none where the data is not VT-SSum."""
    if data.source != "vt_ssum":
        return {}
    tuned = Tuned(files[TUNED], hashlib.sha256(files[TUNED]).hexdigest()) if TUNED in files else None
    model = Highlight(ModelRef("candidate", "0", "", ""), network_of(files), data.encoder, cores(), tuned)
    figures = evaluate_vt_ssum(data.path, "dev", model.predict, lectures=data.dev_lectures or None)
    figures.pop("train", None)  # a path of this machine
    return {"vt_ssum_dev": figures}

"""From the best checkpoint to a version in the registry: calibrated, measured, described."""

from pathlib import Path
from typing import Any

import torch

from core.errors import RefusedInput
from core.machine import cores
from core.records import ModelRef
from models import encoders, registering, registry, text
from models.borders import to_bytes
from models.learned import BORDERS, TUNED, assembled, files_of
from training import borders
from training.calibration import calibrate, calibrate_borders
from training.data import LectureData
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
PRIOR = "baseline@1"


def load_checkpoint(path: Path) -> HighlightModule:
    """What a Lightning checkpoint holds. Only tensors and plain values are read: nothing in it is run."""
    found = torch.load(path, map_location="cpu", weights_only=True)
    module = HighlightModule(**{key: value for key, value in found["hyper_parameters"].items() if key[0] != "_"})
    module.on_load_checkpoint(found)
    module.load_state_dict(found["state_dict"])
    return module.eval()


def register_checkpoint(
    checkpoint: Path, data: LectureData, name: str, root: str, description: str, *, border_passes: int = 0,
    prior_weight: float = 0.0,
) -> ModelRef:  # fmt: skip
    """Calibrate and measure the network of a checkpoint on the dev split, and make it the next version of `name`.

    A fine-tuned encoder goes with it, as far as it was changed.

    Args:
        border_passes: Fit an n-gram model of topic ends in so many passes, to go with the network; 0 for none.
        prior_weight: What the baseline weighs beside the network; 0 for a version without it.
    """
    data.setup("fit")
    module = load_checkpoint(checkpoint)
    calibrate(module, data.corpora["dev"])
    files = files_of(module.network)
    if module.encoder:
        files[TUNED] = module.encoder.saved()
    if border_passes:
        files[BORDERS] = fitted_borders(module, data, border_passes)
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
    }
    if prior_weight:
        prior = registry.resolve(PRIOR, [registry.BUILTIN])
        manifest["prior"] = {
            "name": prior.name, "version": prior.version, "sha256": prior.sha256, "weight": prior_weight
        }  # fmt: skip
    manifest["metrics"] = measured(files, manifest, data)
    if consent:
        manifest["consent"] = consent
    return registering.register(root, name, files, manifest)


def encoder_entry(name: str) -> dict[str, str]:
    """The text encoder as a version's manifest names it."""
    found = encoders.resolve(name)
    return {"name": found.name, "file": encoders.WEIGHTS, "sha256": found.sha256}


def fitted_borders(module: HighlightModule, data: LectureData, passes: int) -> bytes:
    """An n-gram model of topic ends, fitted to the training lectures, mixed with the network on the dev lectures."""
    punctuation = text.marks(encoders.resolve(data.encoder).folder)
    fitted = borders.fit(data.corpora["train"], module.network.rarity.numpy(), punctuation, passes=passes)
    return to_bytes(calibrate_borders(fitted, module, data.corpora["dev"]))


def measured(files: dict[str, bytes], manifest: dict[str, Any], data: LectureData) -> dict[str, Any]:
    """The figures of the dev split, of the weights as they are stored; none where the data is not VT-SSum."""
    if data.source != "vt_ssum":
        return {}
    model = assembled(ModelRef("candidate", "0", "", ""), files, manifest, threads=cores())
    figures = evaluate_vt_ssum(data.path, "dev", model.predict, lectures=data.dev_lectures or None)
    figures.pop("train", None)  # a path of this machine
    return {"vt_ssum_dev": figures}

"""Training that goes on from a version in the registry, also where that had no sentence vectors."""

import torch
from torch import Tensor

from core.errors import RefusedInput
from models import registry
from models.highlight import HighlightNetwork
from models.learned import network_of
from models.lecture_input import SENTENCE_FEATURES

CALIBRATION = ("scale", "shift")
"""Fitted anew when training ends."""


def begin_with(network: HighlightNetwork, reference: str) -> None:
    """Give `network` the weights of the version that `reference` names.

    Where only the network reads sentence vectors, they count nothing at first: it then answers as the version does.
    Raises RefusedInput where there is no such version, or its sizes are others.
    """
    ref = registry.resolve(reference, registry.roots())
    version = registry.read_version(ref)
    if version.manifest["kind"] != "highlight":
        raise RefusedInput(f"model.start {reference}: its kind is {version.manifest['kind']!r}, and has no network.")
    former = network_of(version.files)
    known = {name: value for name, value in former.state_dict().items() if name not in CALIBRATION}
    if network.config.vector_size and not former.config.vector_size:
        known["enter.weight"] = _with_vectors(known["enter.weight"], network.config.vector_size)
    own = network.state_dict()
    other = [name for name, value in known.items() if name not in own or own[name].shape != value.shape]
    if other:
        raise RefusedInput(
            f"model.start {ref.name}@{ref.version} has other sizes than this configuration ({', '.join(other[:3])}): "
            f"take over its config.json: {former.config}."
        )
    network.load_state_dict(known, strict=False)


def _with_vectors(enter: Tensor, size: int) -> Tensor:
    """The weights of the first layer with columns of zeros where the vectors come in, after the sentence features."""
    before, after = enter[:, :SENTENCE_FEATURES], enter[:, SENTENCE_FEATURES:]
    return torch.cat([before, enter.new_zeros(len(enter), size), after], dim=1)

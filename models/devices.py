"""On what speech is recognised: the processor, or a GPU where the machine's owner says so."""

import os
from typing import Literal

from core.errors import BadSetting

DEVICE = "WINNOW_DEVICE"


def device() -> Literal["cpu", "cuda"]:
    """What recognises: WINNOW_DEVICE, which is cpu unless set; auto is a GPU where there is one.

    Raises BadSetting for another value, and for cuda where CTranslate2 sees no GPU.
    """
    asked = os.environ.get(DEVICE, "").strip().lower() or "cpu"
    if asked == "cpu":
        return "cpu"
    if asked not in ("auto", "cuda"):
        raise BadSetting(f"{DEVICE} must be cpu, cuda or auto, got {asked!r}.")
    from ctranslate2 import get_cuda_device_count

    if get_cuda_device_count():
        return "cuda"
    if asked == "cuda":
        raise BadSetting(f"{DEVICE} asks for a GPU, and there is none that CTranslate2 can use; set it to auto or cpu.")
    return "cpu"

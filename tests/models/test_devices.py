"""What recognises speech is chosen by the machine's owner, and a GPU that is not there is refused."""

import pytest
from ctranslate2 import get_cuda_device_count

from core.errors import BadSetting
from models.devices import device


@pytest.mark.parametrize(
    ("asked", "found"), [("", "cpu"), ("cpu", "cpu"), (" AUTO ", "cuda" if get_cuda_device_count() else "cpu")]
)
def test_what_recognises_is_a_setting_of_the_machine(monkeypatch, asked, found):
    monkeypatch.setenv("WINNOW_DEVICE", asked)
    assert device() == found


@pytest.mark.parametrize("asked", ["tpu", *([] if get_cuda_device_count() else ["cuda"])])
def test_a_device_that_is_not_there_is_refused(monkeypatch, asked):
    monkeypatch.setenv("WINNOW_DEVICE", asked)
    with pytest.raises(BadSetting, match="WINNOW_DEVICE"):
        device()

"""Nightlies that are killed at moments that a seed draws, with real processes: each recording is there once after all.

`python -m bench.chaos` does the same for longer, with more that can go wrong.
"""

import random
from pathlib import Path

import pytest

from bench.chaos import chaos
from bench.chaos_checks import judge
from bench.chaos_places import Inbox, films, in_folders
from core.catalog_files import CatalogFiles
from core.errors import StoreError
from core.settings import EncodingSettings, RenderSettings, SelectionSettings, Settings

SETTINGS = Settings(
    selection=SelectionSettings(clips=1, min_s=5, max_s=12),
    rendering=RenderSettings(**EncodingSettings(encoder_preset="ultrafast").model_dump()),
    reel=False,
    model="baseline",
)


def test_whatever_is_killed_each_recording_is_there_once(tmp_path, prefect_server):
    told = chaos(tmp_path, kills=1, seed=5, only="nightly", arriving=1, env=prefect_server)
    assert told.well, told
    assert told.harm.total() == 1 and told.recordings >= 1 and told.manifests_seen >= 1


def test_what_fails_between_clips_and_catalog_goes_on_under_the_same_names(
    tmp_path, winnow_home, prefect_here, monkeypatch
):
    from flows.nightly import NightlyFailed, nightly

    with in_folders(tmp_path) as place:
        inbox = Inbox(tmp_path, films(tmp_path)[:1], random.Random(1), place.put)
        inbox.arrive(1, only_new=True)
    whole = CatalogFiles.create

    def full(files: CatalogFiles, path: str, content: bytes) -> bool:
        if "/runs/" in path:
            raise StoreError("No space left on device")
        return whole(files, path, content)

    with monkeypatch.context() as patch:
        patch.setattr(CatalogFiles, "create", full)
        with pytest.raises(NightlyFailed):
            nightly(place.inbox, place.store, settings=SETTINGS, settle_s=0)
    report = nightly(place.inbox, place.store, settings=SETTINGS, settle_s=0)
    assert [end.status for end in report.recordings] == ["done"]
    verdict = judge(place.store, dict(inbox.wanted))
    assert verdict.well, verdict


def test_what_is_wrong_in_a_store_is_told(tmp_path: Path):
    (tmp_path / "ends/ab").mkdir(parents=True)
    (tmp_path / "ends/ab/.x.part").write_text("half")
    verdict = judge(str(tmp_path), {"ab" * 32: "done"})
    assert verdict.stray == ["ends/ab/.x.part"]
    assert verdict.lost == ["abababab has no row that is done", "abababab has no manifest"]

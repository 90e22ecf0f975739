"""Whole clips: rendered from small recordings with flashes and beeps at known times, then taken apart again."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import encoding, loudness, media
from core.boxes import Box
from core.caption_ass import to_ass
from core.encoders import choose_encoder
from core.errors import Cancelled, MediaError
from core.framing_plan import FramingPlan, Panel, Scene, Station
from core.ladder import Rendition
from core.probe import probe
from core.production import Look
from core.records import Cue
from core.rendering import RenderedClip, render_clip
from core.settings import RenderSettings
from core.tightening import Removal, Tightening
from tests.core.films import AAC, EVERY_S, asked, beeps_s, flashes_s, pictures, plain_production, record

SYNC_S = 0.020
UNEVEN = ["-vf", r"select=not(mod(n\,7))+between(mod(t\,2)\,0.99\,1.25)"]
SETTINGS = RenderSettings(encoder_preset="ultrafast")
X264 = choose_encoder("x264")


def render(source: Path, start_s: float, end_s: float, folder: Path, *, settings: RenderSettings = SETTINGS,
           production=None, info=None, title: str = "A title", pick_poster=None, on_progress=None,
           ) -> RenderedClip:  # fmt: skip
    folder.mkdir(exist_ok=True)
    return render_clip(
        source, info or probe(source), start_s, end_s, settings=settings, encoder=X264, title=title,
        production=production or plain_production(source, start_s, end_s, max_height=settings.max_height),
        folder=folder, threads=1, pick_poster=pick_poster, on_progress=on_progress,
    )  # fmt: skip


def assert_in_step(made: RenderedClip, clip: Path, count: int) -> None:
    """Flashes and beeps fall together, and where the recording has them."""
    expected = [t - made.start_s for t in np.arange(1, made.end_s, EVERY_S) if t >= made.start_s]
    assert len(expected) == count
    flashes, beeps = flashes_s(clip, float(Fraction(made.frame_rate))), beeps_s(clip)
    assert flashes == pytest.approx(expected, abs=SYNC_S)
    assert beeps == pytest.approx(flashes, abs=SYNC_S)


def test_a_clip_is_what_was_asked_for(tmp_path):
    tags = ["-metadata", "title=secret", "-metadata", "comment=secret", "-metadata", "location=+1+1/"]
    source = record(tmp_path / "it's [a] talk; 100%: \\n.mp4", 14, size=(320, 180), options=tags)
    done_s: list[float] = []
    made = render(
        source,
        2.5,
        12.1,
        tmp_path / "clip",
        settings=RenderSettings(),
        title="It's a\ntitle = 1; #2",
        on_progress=done_s.append,
    )
    clip = tmp_path / "clip" / "clip.mp4"
    assert sorted(path.name for path in clip.parent.iterdir()) == ["clip.mp4", "poster.jpg"]
    assert (made.rejected, made.repairs, made.checks.problems) == (None, (), ())
    assert made.start_s == pytest.approx(2.5, abs=0.021) and made.end_s == pytest.approx(12.1, abs=0.041)
    assert (made.width, made.height, made.frame_rate) == (320, 180, "25/1")
    assert made.duration_s == pytest.approx(probe(clip).duration_s, abs=0.001)
    assert made.loudness_lufs == pytest.approx(SETTINGS.loudness_lufs, abs=1)
    assert made.true_peak_dbtp is not None and made.true_peak_dbtp < -1
    assert_in_step(made, clip, 5)
    found = asked(clip)
    assert found["format"]["tags"]["title"] == "It's a title = 1; #2"
    assert "secret" not in json.dumps(found) and "+1+1" not in json.dumps(found)
    assert found["chapters"] == []
    video, audio = found["streams"]
    assert (video["codec_name"], video["profile"], video["pix_fmt"]) == ("h264", "High", "yuv420p")
    assert (audio["codec_name"], audio["profile"], audio["channels"]) == ("aac", "LC", 2)
    assert clip.read_bytes().index(b"moov") < clip.read_bytes().index(b"mdat")
    assert done_s == sorted(done_s) and done_s[-1] == pytest.approx(9.6, abs=0.2)
    with Image.open(clip.with_name("poster.jpg")) as poster:
        assert poster.size == (320, 180)


def test_a_clip_from_minute_61_is_in_step(tmp_path):
    block = record(tmp_path / "block.mov", 60, fps=5, size=(32, 18), rate_hz=8_000, audio=["-c:a", "pcm_s16le"])
    source = tmp_path / "long.mov"
    over_and_over = ["-stream_loop", "61", "-i", media.file_url(block), "-c", "copy"]
    media.run_ffmpeg([*over_and_over, media.file_url(source)], what="Filming", timeout_s=60)
    made = render(source, 3_661.6, 3_667.4, tmp_path / "clip")
    assert made.rejected is None and made.frame_rate == "25/1"
    assert_in_step(made, tmp_path / "clip" / "clip.mp4", 3)


@pytest.mark.parametrize(("name", "audio"), [("uneven.mp4", AAC), ("uneven.mkv", ["-c:a", "flac"])])
def test_a_clip_of_uneven_frames_is_in_step(tmp_path, name, audio):
    source = record(tmp_path / name, 14, fps=30, options=UNEVEN, audio=audio)
    made = render(source, 4.33, 11.9, tmp_path / "clip")
    assert made.rejected is None and made.frame_rate == "30/1"
    assert_in_step(made, tmp_path / "clip" / "clip.mp4", 4)


def test_without_sound_there_is_no_sound_stream(tmp_path):
    made = render(record(tmp_path / "a.mp4", 6, sound=False), 1.0, 5.0, tmp_path / "clip")
    assert (made.rejected, made.loudness_lufs, made.true_peak_dbtp) == (None, None, None)
    assert [stream["codec_type"] for stream in asked(tmp_path / "clip" / "clip.mp4")["streams"]] == ["video"]


def test_sound_alone_gets_a_picture(tmp_path):
    source = record(tmp_path / "a.m4a", 8, picture=False)
    settings = SETTINGS.model_copy(update={"max_height": 360})
    made = render(source, 2.0, 5.0, tmp_path / "clip", settings=settings, title="{\\an8} 'title'")
    assert (made.rejected, made.width, made.height, made.frame_rate) == (None, 640, 360, "25/1")
    assert made.loudness_lufs == pytest.approx(-14, abs=1)
    clip = tmp_path / "clip" / "clip.mp4"
    assert beeps_s(clip) == pytest.approx([1.0], abs=0.01)
    found = probe(clip).video
    assert found and found.color_space == "bt709"
    with Image.open(clip.with_name("poster.jpg")) as poster:
        assert np.asarray(poster.convert("L"))[100:170].max() > 200  # the title


def test_silent_sound_alone_and_no_title_give_a_clip_still(tmp_path):
    source = record(tmp_path / "a.m4a", 6, picture=False, gain=0.0)
    made = render(source, 1.0, 3.0, tmp_path / "clip", title="")
    assert (made.rejected, made.repairs, made.loudness_lufs) == (None, (), None)


def test_silent_sound_stays_silent(tmp_path):
    source = record(tmp_path / "a.mp4", 6, gain=0.0)
    made = render(source, 1.0, 5.0, tmp_path / "clip")
    assert (made.rejected, made.repairs, made.loudness_lufs, made.true_peak_dbtp) == (None, (), None, None)
    assert any("silent" in warning for warning in made.checks.warnings)


def test_drawn_captions_are_seen_while_they_last(tmp_path):
    source = record(tmp_path / "a.mp4", 6, size=(320, 180))
    cues = (Cue(1.2, 3.0, ("First line", "second {line}")),)
    production = plain_production(source, 0.0, 5.0, cues=cues, drawn=to_ass(cues, width_px=320, height_px=180))
    made = render(source, 0.0, 5.0, tmp_path / "clip", production=production)
    assert made.rejected is None
    seen = pictures(tmp_path / "clip" / "clip.mp4", (320, 60), "crop=iw:ih/3:0:ih*2/3")
    shown = np.flatnonzero(seen.reshape(125, -1).std(axis=1) > 10)
    assert (shown[0], shown[-1]) == (30, 74)


@pytest.mark.parametrize(
    ("captions", "said"),
    [
        pytest.param([Cue(0.0, 2.0, ("a",)), Cue(1.0, 3.0, ("b",))], "overlap", id="overlapping"),
        pytest.param([Cue(3.0, 5.0, ("a",))], "after the clip", id="past the end"),
    ],
)
def test_captions_that_cannot_be_mended_reject_the_clip_at_once(tmp_path, captions, said):
    source = record(tmp_path / "a.mp4", 6)
    production = plain_production(source, 1.0, 5.0, cues=tuple(captions))
    made = render(source, 1.0, 5.0, tmp_path / "clip", production=production)
    assert made.rejected is not None and said in made.rejected
    assert made.repairs == ()


def spoil(monkeypatch, module, name: str, times: int, spoiling) -> None:
    """Let what `module.name` reads from the recording go wrong, by `spoiling`, the first `times` times."""
    whole, calls = getattr(module, name), []

    def spoiled(*arguments, **options):
        calls.append(1)
        stream = whole(*arguments, **options)
        return spoiling(stream) if len(calls) <= times else stream

    monkeypatch.setattr(module, name, spoiled)


def black(picture):
    return picture.filter("drawbox", t="fill", c="black")


def late(sound):
    return sound.filter("adelay", delays=150, all=1).filter("atrim", end=5)


def test_a_spoiled_picture_is_cut_again(tmp_path, monkeypatch):
    source = record(tmp_path / "a.mp4", 8)
    spoil(monkeypatch, encoding, "read_picture", 1, black)
    made = render(source, 1.5, 6.5, tmp_path / "clip")
    assert made.rejected is None
    assert len(made.repairs) == 1 and "is black where the recording is not" in made.repairs[0]
    assert_in_step(made, tmp_path / "clip" / "clip.mp4", 2)


def test_a_picture_that_stays_spoiled_is_rejected_with_the_reason(tmp_path, monkeypatch):
    source = record(tmp_path / "a.mp4", 8)
    spoil(monkeypatch, encoding, "read_picture", 9, black)
    made = render(source, 1.5, 6.5, tmp_path / "clip")
    assert made.rejected == "The clip is black where the recording is not."
    assert made.rejected in made.checks.problems and len(made.repairs) == 1


def test_sound_that_came_late_is_cut_again(tmp_path, monkeypatch):
    source = record(tmp_path / "a.mp4", 8)
    spoil(monkeypatch, loudness, "read_sound", 1, late)
    made = render(source, 1.5, 6.5, tmp_path / "clip")
    assert made.rejected is None and "ms late" in made.repairs[0]
    assert_in_step(made, tmp_path / "clip" / "clip.mp4", 2)


def test_sound_of_the_wrong_level_is_levelled_again_and_the_picture_kept(tmp_path, monkeypatch):
    source = record(tmp_path / "a.mp4", 8)
    plans = [loudness.Levelling(-3.0, None)]
    monkeypatch.setattr(loudness, "plan_levelling", lambda *arguments: plans[0])
    made = render(source, 1.5, 6.5, tmp_path / "clip")
    assert made.rejected is None and made.loudness_lufs == pytest.approx(-14, abs=1)
    assert len(made.repairs) == 1 and made.repairs[0].startswith("Levelled the sound again")
    assert_in_step(made, tmp_path / "clip" / "clip.mp4", 2)
    assert sorted(path.name for path in (tmp_path / "clip").glob("*.[jm]p*")) == ["clip.mp4", "poster.jpg"]


def test_a_damaged_recording_gives_a_clip_or_a_reason(tmp_path):
    source = record(tmp_path / "a.mkv", 20)
    info, production = probe(source), plain_production(source, 8.0, 13.0)
    data = bytearray(source.read_bytes())
    middle = slice(len(data) * 4 // 10, len(data) * 7 // 10)
    data[middle] = np.random.default_rng(5).bytes(middle.stop - middle.start)
    source.write_bytes(data)
    folder = tmp_path / "clip"
    made = render(source, 8.0, 13.0, folder, info=info, production=production, title="")
    assert made.rejected is not None or made.duration_s == pytest.approx(5, abs=0.1)
    assert {path.name for path in folder.iterdir()} <= {"clip.mp4", "poster.jpg"}


def test_a_recording_that_vanished_is_an_error_and_leaves_nothing(tmp_path):
    source = record(tmp_path / "a.mp4", 4)
    info, production = probe(source), plain_production(source, 1.0, 3.0)
    source.unlink()
    with pytest.raises(MediaError, match="No such file"):
        render(source, 1.0, 3.0, tmp_path / "clip", info=info, production=production)
    assert list((tmp_path / "clip").iterdir()) == []


def test_being_told_to_stop_is_passed_on(tmp_path, monkeypatch):
    source = record(tmp_path / "a.mp4", 4)
    monkeypatch.setattr(loudness, "extract_sound", lambda *arguments: (_ for _ in ()).throw(Cancelled("stop")))
    with pytest.raises(Cancelled):
        render(source, 1.0, 3.0, tmp_path / "clip")
    assert list((tmp_path / "clip").iterdir()) == []


def test_every_format_has_its_files_and_a_poster_of_the_same_moment(tmp_path):
    source = record(tmp_path / "a.mp4", 8, size=(320, 180))
    production = plain_production(source, 1.5, 6.5)
    wide = production.looks[0].plan
    middle = Panel(Box(0, 0, 90, 160), (Station(0.0, Box(108, 0, 101.25, 180)),))
    upright = FramingPlan("vertical", 90, 160, (Scene(0.0, 5.0, (middle,)),))
    production = replace(production, looks=(Look(wide), Look(upright, free=True)),
                         ladder=(Rendition(name="hd"), Rendition(name="low", height_px=90)))  # fmt: skip
    told: list[tuple[Path, tuple[float, float]]] = []

    def second_flash_s(clip, found, within_s) -> float:
        assert found.video and (found.video.width, found.video.height) == (320, 180)
        told.append((clip, within_s))
        return 3.6

    made = render(source, 1.5, 6.5, tmp_path / "clip", production=production, pick_poster=second_flash_s)
    assert made.rejected is None and made.repairs == ()
    assert told == [(tmp_path / "clip" / "clip.mp4", (0.0, 5.0))]
    assert [(file.format, file.rendition, file.name, file.width, file.height) for file in made.files] == [
        ("source", "hd", "clip.mp4", 320, 180),
        ("source", "low", "clip-low.mp4", 160, 90),
        ("vertical", "hd", "vertical.mp4", 90, 160),
    ]
    names = {file.name for file in made.files} | {"poster.jpg", "vertical.jpg"}
    assert {path.name for path in (tmp_path / "clip").iterdir()} == names
    for name in ("poster.jpg", "vertical.jpg"):
        with Image.open(tmp_path / "clip" / name) as poster:
            assert np.asarray(poster.convert("L")).max() > 200, "3.6 s of the clip is within the flash at 5.0 s"


def test_a_tightened_clip_is_in_step_and_held_against_its_recording(tmp_path, monkeypatch):
    source = record(tmp_path / "a.mp4", 10)
    cut_out = Tightening(8.0, "25/1", (Removal(1.2, 2.4, "pause"), Removal(4.2, 5.0, "filler", "um")))
    production = plain_production(source, 1.0, 9.0, tightening=cut_out)
    made = render(source, 1.0, 9.0, tmp_path / "clip", production=production)
    assert (made.rejected, made.repairs, made.duration_s) == (None, (), 6.0)
    clip = tmp_path / "clip" / "clip.mp4"
    expected = [cut_out.shown_s(t - 1.0) for t in (1.0, 5.0, 7.0)]
    assert cut_out.holding(2.0) and not cut_out.holding(4.0)
    assert flashes_s(clip, 25.0) == pytest.approx(expected, abs=SYNC_S)
    assert beeps_s(clip) == pytest.approx(expected, abs=SYNC_S)
    spoil(monkeypatch, encoding, "read_picture", 9, lambda picture: picture.filter("lutyuv", y="255-val/2"))
    again = render(source, 1.0, 9.0, tmp_path / "other", production=production)
    assert again.rejected is not None and "is not the recording's" in again.rejected

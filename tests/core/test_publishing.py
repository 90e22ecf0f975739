import pytest

from core.boxes import Box
from core.errors import StoreError
from core.manifest import (
    ClipChecks,
    ClipEntry,
    ClipFiles,
    ClipWriting,
    Manifest,
    RecordingFiles,
    SourceEntry,
    layouts_json,
)
from core.publishing import clip_stem, named_files, publish, read_manifest, slug
from core.settings import Settings
from core.sights import LayoutSpan


def clip(stem="clips/01-a", key="k1", **files):
    return ClipEntry(
        rank=1, start_s=1, end_s=21, score=0.5, title="A", text="a", reasons={}, words=[], render_key=key,
        writing=ClipWriting(description="", tags=[], writer="offline", note=None), framing=[], tightening=[],
        intro_s=0.0, captions=None, checks=ClipChecks(measures={}, warnings=[], repairs=[]),
        files=ClipFiles(video=f"{stem}.mp4", poster=f"{stem}.jpg", srt=None, vtt=None, **files),
    )  # fmt: skip


def manifest(*clips):
    source = SourceEntry(name="a.mp4", sha256="ab" * 32, bytes=1, duration_s=60, width=2, height=2, frame_rate="25/1",
                         has_video=True, has_audio=True, title=None)  # fmt: skip
    return Manifest(
        winnow="0", created="2026-01-01T00:00:00+00:00", source=source, models={}, settings=Settings(), tools={},
        stages=[], clips=list(clips), rejected=[], runners_up=[], silences=[], transcript=None,
        files=RecordingFiles(report="report.html", reel=None, srt=None, vtt=None), warnings=[],
    )  # fmt: skip


@pytest.fixture
def rendered(tmp_path):
    """Copies of every file of a clip, as a rendering leaves them."""

    def make(stem="clips/01-a", content=b"video", endings=(".mp4", ".jpg")):
        path = tmp_path / "store" / content.decode()
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return {f"{stem}{ending}": path for ending in endings}

    return make


TEXTS = {"report.html": "<html>"}


def test_what_is_published_is_what_the_manifest_names(tmp_path, rendered):
    path = publish(tmp_path / "out", manifest(clip()), copies=rendered(), texts=TEXTS)
    found = read_manifest(path.parent)
    assert found == manifest(clip())
    on_disk = {p.relative_to(path.parent).as_posix() for p in path.parent.rglob("*") if p.is_file()}
    assert on_disk == named_files(found) | {"manifest.json"}


def test_what_is_named_no_more_goes_and_what_others_put_there_stays(tmp_path, rendered):
    out = tmp_path / "out"
    publish(out, manifest(clip()), copies=rendered(), texts=TEXTS)
    (out / "clips/my notes.txt").write_text("keep")
    publish(out, manifest(clip("clips/01-b", "k2")), copies=rendered("clips/01-b"), texts=TEXTS)
    assert sorted(p.name for p in (out / "clips").iterdir()) == ["01-b.jpg", "01-b.mp4", "my notes.txt"]


def test_an_unchanged_rendering_is_left_in_place_and_a_changed_one_replaced(tmp_path, rendered):
    out = tmp_path / "out"
    publish(out, manifest(clip()), copies=rendered(), texts=TEXTS)
    before = (out / "clips/01-a.mp4").stat().st_mtime_ns
    publish(out, manifest(clip()), copies=rendered(), texts=TEXTS)
    assert (out / "clips/01-a.mp4").stat().st_mtime_ns == before
    publish(out, manifest(clip(key="k2")), copies=rendered(content=b"other"), texts=TEXTS)
    assert (out / "clips/01-a.mp4").read_bytes() == b"other"


def test_a_failed_publishing_leaves_the_earlier_one_readable(tmp_path, rendered):
    out = tmp_path / "out"
    publish(out, manifest(clip()), copies=rendered(), texts=TEXTS)
    gone = dict.fromkeys(rendered("clips/01-b"), tmp_path / "gone")
    with pytest.raises(StoreError, match="Publishing into .* failed"):
        publish(out, manifest(clip("clips/01-b", "k2")), copies=gone, texts=TEXTS)
    found = read_manifest(out)
    assert found == manifest(clip())
    assert all((out / name).is_file() for name in named_files(found))
    assert not list(out.rglob("*.part"))


def test_a_file_named_and_not_given_is_a_mistake(tmp_path):
    with pytest.raises(ValueError, match="not published"):
        publish(tmp_path, manifest(clip()), copies={}, texts=TEXTS)


MORE = {
    "sheet": "clips/01-a-sheet.jpg",
    "formats": {"source": {"hd": "clips/01-a.mp4", "sd": "clips/01-a-sd.mp4"}},
    "hls": {"source": "clips/01-a.hls/source/master.m3u8"},
    "parts": ["clips/01-a.hls/source/hd/1.m4s"],
}
ENDINGS = (".mp4", ".jpg", "-sheet.jpg", "-sd.mp4", ".hls/source/master.m3u8", ".hls/source/hd/1.m4s")


def test_all_sizes_and_streaming_parts_of_a_clip_come_and_go_with_it(tmp_path, rendered):
    out, many = tmp_path / "out", clip(**MORE)
    publish(out, manifest(many), copies=rendered(endings=ENDINGS), texts=TEXTS)
    assert named_files(manifest(many)) == {f"clips/01-a{ending}" for ending in ENDINGS} | {"report.html"}
    before = (out / "clips/01-a.hls/source/hd/1.m4s").stat().st_mtime_ns
    publish(out, manifest(many), copies=rendered(endings=ENDINGS), texts=TEXTS)
    assert (out / "clips/01-a.hls/source/hd/1.m4s").stat().st_mtime_ns == before
    publish(out, manifest(clip()), copies=rendered(), texts=TEXTS)
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*")) == [
        "clips", "clips/01-a.jpg", "clips/01-a.mp4", "manifest.json", "report.html",
    ]  # fmt: skip


def test_files_about_the_whole_recording_are_named(tmp_path):
    files = RecordingFiles(
        report="report.html", reel="reel.mp4", srt="t.srt", vtt="t.vtt", text="t.txt", overview="overview.jpg",
        layout="layout.json", slides="slides.json", slide_images=["slides/1.jpg", "slides/2.jpg"],
        chapters="chapters.vtt",
    )  # fmt: skip
    whole = manifest().model_copy(update={"files": files})
    everything = files.model_dump()
    assert named_files(whole) == {*everything.pop("slide_images"), *everything.values()}


def test_layouts_are_told_in_whole_pixels():
    spans = [LayoutSpan(0.0, 2.34567, "pip", Box(0.4, 0, 1279.6, 720), Box(944, 524, 320, 180)),
             LayoutSpan(2.34567, 9.0, "other")]  # fmt: skip
    assert layouts_json(spans) == [
        {"start_s": 0.0, "end_s": 2.346, "layout": "pip", "slide_box": [0, 0, 1280, 720],
         "face_box": [944, 524, 320, 180]},
        {"start_s": 2.346, "end_s": 9.0, "layout": "other", "slide_box": None, "face_box": None},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Why two tides?", "why-two-tides"),
        ("../../etc/passwd", "etc-passwd"),
        ("Größe & Gewicht", "größe-gewicht"),
        ("???", "clip"),
        ("a" * 99, "a" * 48),
    ],
)
def test_slugs_are_safe_and_short(title, expected):
    assert slug(title) == expected
    assert clip_stem(3, title) == f"03-{expected}"

"""Packaged clips: playlists parsed, segments looked into, and the whole read back as a player would."""

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest

from core import media, tools
from core.errors import MediaError
from core.hls import MASTER, HlsPackage, avc_codec, package_hls, peak_bps, segment_lengths_s

VTT = "WEBVTT\r\n\r\n00:00:01.000 --> 00:00:02.000\r\nGrüße, all\r\n"
LENGTH_S = 9.4
RATE = Fraction(30000, 1001)
GOP = 60


def draw(path: Path, height: int, *, gop: int = GOP, sound: bool = True, profile: str = "high") -> Path:
    picture = f"testsrc2=s={height * 4 // 3}x{height}:r={RATE}:d={LENGTH_S}"
    heard = ["-f", "lavfi", "-i", f"sine=r=48000:d={LENGTH_S}", "-c:a", "aac", "-ac", "2"] if sound else []
    coding = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-profile:v", profile, "-preset", "superfast"]
    gops = ["-g", str(gop), "-keyint_min", str(gop), "-sc_threshold", "0", "-flags:v", "+cgop"]
    call = ["-f", "lavfi", "-i", picture, *heard, *coding, *gops, "-movflags", "+faststart", media.file_url(path)]
    media.run_ffmpeg(call, what="Drawing", timeout_s=60)
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("we:ird %d clips")
    return {
        "hd": draw(folder / "clip.mp4", 120),
        "mobile": draw(folder / "clip-mobile.mp4", 60, profile="baseline"),
    }


@pytest.fixture(scope="module")
def packaged(clips: dict[str, Path]) -> tuple[Path, HlsPackage]:
    folder = clips["hd"].parent / "hls"
    return folder, package_hls(clips, vtt=VTT, language="en", folder=folder, timeout_s=60)


def probe_json(path: Path, entries: str, *, streams: str = "v") -> dict:
    program = [tools.ffprobe(), "-v", "error", "-protocol_whitelist", "file", "-allowed_extensions", "ALL"]
    program += ["-f", "hls", "-of", "json", "-select_streams", streams, "-show_entries", entries, media.file_url(path)]
    return json.loads(media.run(program, what="Reading a playlist", timeout_s=60)[0])


def uris(playlist: str) -> list[str]:
    named = re.findall(r'URI="([^"]+)"', playlist)
    return named + [line for line in playlist.splitlines() if line and not line.startswith("#")]


def test_every_name_in_a_playlist_is_a_relative_one_of_a_file_that_is_listed(packaged: tuple[Path, HlsPackage]) -> None:
    folder, package = packaged
    named = {MASTER}
    for playlist in folder.rglob("*.m3u8"):
        text = playlist.read_text(encoding="utf-8")
        assert text.startswith("#EXTM3U\n")
        for uri in uris(text):
            assert not uri.startswith("/")
            named.add((playlist.parent / uri).relative_to(folder).as_posix())
    assert named == set(package.files)
    assert all((folder / name).stat().st_size for name in package.files)
    assert package.master == MASTER


def test_segments_begin_at_the_same_keyframes_in_all_renditions_and_sum_to_the_clip(
    packaged: tuple[Path, HlsPackage],
) -> None:
    folder, package = packaged
    hd, mobile = package.renditions
    gop_s = float(GOP / RATE)
    assert hd.segments_s == mobile.segments_s
    assert hd.segments_s[:2] == pytest.approx([2 * gop_s, 2 * gop_s], abs=1e-5)
    assert sum(hd.segments_s) == pytest.approx(LENGTH_S, abs=0.04)
    for name in ("hd", "mobile"):
        text = (folder / name / "index.m3u8").read_text()
        assert {"#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-ENDLIST", "#EXT-X-INDEPENDENT-SEGMENTS"} <= set(text.splitlines())
        target = int(re.findall(r"TARGETDURATION:(\d+)", text)[0])
        assert all(round(length_s) <= target for length_s in segment_lengths_s(text))
        packets = probe_json(folder / name / "index.m3u8", "packet=pts_time,flags")["packets"]
        keyframes_s = [float(packet["pts_time"]) for packet in packets if "K" in packet["flags"]]
        assert keyframes_s == pytest.approx([place * gop_s for place in range(len(keyframes_s))], abs=1e-3)
        assert len(packets) == round(LENGTH_S * RATE)


def test_the_master_playlist_says_what_the_renditions_are(packaged: tuple[Path, HlsPackage]) -> None:
    folder, package = packaged
    text = (folder / MASTER).read_text()
    streams = re.findall(r"#EXT-X-STREAM-INF:(.+)\n(.+)", text)
    assert [uri for _, uri in streams] == ["hd/index.m3u8", "mobile/index.m3u8"]
    for (said, _), one, codec in zip(streams, package.renditions, ("avc1.6400", "avc1.42c0"), strict=True):
        assert f"RESOLUTION={one.width}x{one.height}" in said
        assert "FRAME-RATE=29.970" in said
        assert f'CODECS="{codec}' in said
        assert ',mp4a.40.2"' in said
        sizes = [path.stat().st_size for path in sorted((folder / one.name).glob("*.m4s"))]
        average, peak = (int(n) for n in re.findall(r"BANDWIDTH=(\d+)", said)[::-1])
        assert average == pytest.approx(8 * sum(sizes) / LENGTH_S, rel=0.01)
        assert peak >= max(8 * size / s for size, s in zip(sizes[:2], one.segments_s, strict=False)) - 1
        assert peak >= average


def test_a_player_reads_it_from_0_on_with_picture_and_sound_together(packaged: tuple[Path, HlsPackage]) -> None:
    folder, _ = packaged
    found = probe_json(
        folder / MASTER, "stream=codec_type,width,start_time:packet=stream_index,pts_time", streams="v:0"
    )
    assert found["streams"][0]["width"] == 160
    for one in ("hd", "mobile"):
        streams = probe_json(folder / one / "index.m3u8", "packet=codec_type,pts_time", streams="V")["packets"]
        assert float(streams[0]["pts_time"]) == pytest.approx(0, abs=1e-6)
        sound = probe_json(folder / one / "index.m3u8", "packet=pts_time", streams="a")["packets"]
        # The first packet is the AAC priming of 1024 samples, which is not heard.
        assert float(sound[0]["pts_time"]) == pytest.approx(-1024 / 48_000, abs=1e-4)
    call = ["-allowed_extensions", "ALL", "-protocol_whitelist", "file", "-f", "hls", "-i"]
    call += [media.file_url(folder / MASTER), "-map", "0:v", "-map", "0:a", "-f", "null", "-"]
    assert media.run_ffmpeg(["-xerror", *call], what="Playing", timeout_s=60) == ""


def test_subtitles_stand_beside_the_renditions_on_the_same_clock(packaged: tuple[Path, HlsPackage]) -> None:
    folder, _ = packaged
    master = (folder / MASTER).read_text()
    assert 'LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="subtitles/index.m3u8"' in master
    assert master.count('SUBTITLES="subs"') == 2
    playlist = (folder / "subtitles/index.m3u8").read_text()
    (name,) = uris(playlist)
    assert sum(segment_lengths_s(playlist)) == pytest.approx(LENGTH_S, abs=0.04)
    text = (folder / "subtitles" / name).read_text(encoding="utf-8")
    assert text.startswith("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n00:00:01.000 --> ")
    assert "Grüße" in text
    packets = probe_json(folder / "subtitles/index.m3u8", "packet=pts_time", streams="s")["packets"]
    assert [float(packet["pts_time"]) for packet in packets] == [1.0]


def test_the_same_clip_is_packaged_to_the_same_files(
    clips: dict[str, Path], packaged: tuple[Path, HlsPackage], tmp_path: Path
) -> None:
    folder, package = packaged
    again = package_hls(clips, vtt=VTT, language="en", folder=tmp_path / "again", timeout_s=60)
    assert again == package
    for name in package.files:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_without_sound_and_subtitles_neither_is_named(tmp_path: Path) -> None:
    silent = draw(tmp_path / "silent.mp4", 60, sound=False)
    package = package_hls({"only": silent}, vtt=None, language=None, folder=tmp_path / "hls", timeout_s=60)
    master = (tmp_path / "hls" / MASTER).read_text()
    assert "mp4a" not in master
    assert "SUBTITLES" not in master
    assert not any("subtitles" in name for name in package.files)


def test_renditions_whose_keyframes_differ_are_refused(clips: dict[str, Path], tmp_path: Path) -> None:
    other = draw(tmp_path / "other.mp4", 60, gop=50, sound=False)
    with pytest.raises(MediaError, match="the segments of sd do not begin where those of hd do"):
        package_hls({"hd": clips["hd"], "sd": other}, vtt=None, language=None, folder=tmp_path / "hls", timeout_s=60)


@pytest.mark.parametrize("name", ["../up", "subtitles", "A", ""])
def test_names_that_are_no_folders_of_their_own_are_refused(clips: dict[str, Path], tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a rendition's name"):
        package_hls({name: clips["hd"]}, vtt=None, language=None, folder=tmp_path / "hls", timeout_s=60)


def test_a_language_cannot_break_out_of_its_quotes(clips: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no language tag"):
        package_hls(clips, vtt=VTT, language='en",URI="x', folder=tmp_path / "hls", timeout_s=60)


def test_the_peak_is_that_of_segments_long_enough_to_count() -> None:
    assert peak_bps([1000, 4000, 900], [4.0, 4.0, 0.1], 4.0) == 9_561  # the last two, 8 x 4900 / 4.1
    assert peak_bps([1000, 500], [4.0, 2.0], 4.0) == 2_000
    assert peak_bps([100], [0.4], 4.0) == 2_000


def test_a_segment_without_h264_is_refused() -> None:
    with pytest.raises(MediaError, match="no H.264"):
        avc_codec(b"ftypmoov")

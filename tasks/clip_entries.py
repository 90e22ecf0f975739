"""What is published of one clip: its files under their names, and its entry in the manifest."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.caption_files import ShownSlide, to_srt, to_text, to_vtt
from core.caption_report import CaptionReport
from core.dressing import Dressed, shifted
from core.home import store
from core.manifest import ClipChecks, ClipEntry, ClipFiles, ClipWriting, RemovedEntry
from core.publishing import clip_stem
from core.records import Highlight, Span, StageRef, Transcript
from core.rendering import RenderedClip
from core.sights import Slide
from core.wording import Wording
from tasks.rendering import HLS_FOLDER, POSTER_NAME, SHEET_NAME


@dataclass(frozen=True, slots=True)
class Finished:
    """A chosen moment and all that was made of it."""

    pick: Highlight
    """With the title that was written for it."""
    wording: Wording
    dressed: Dressed
    ref: StageRef
    clip: RenderedClip


@dataclass(slots=True)
class Parcel:
    """What goes into the output folder: files to copy and texts to write, by their relative paths."""

    copies: dict[str, Path] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def clip_entry(
    number: int,
    made: Finished,
    parcel: Parcel,
    *,
    transcript: Transcript | None,
    slides: Sequence[Slide],
    speaker: str,
    tightened: bool,
) -> ClipEntry:
    """The manifest's entry of one clip; what it names is added to `parcel`."""
    pick, clip, dressed = made.pick, made.clip, made.dressed
    stem = f"clips/{clip_stem(number, pick.title)}"
    words = [replace(w, start_s=w.start_s + clip.intro_s, end_s=w.end_s + clip.intro_s) for w in dressed.words]
    return ClipEntry(
        rank=pick.rank,
        start_s=round(clip.start_s, 3),
        end_s=round(clip.end_s, 3),
        score=pick.score,
        title=pick.title,
        text=pick.text,
        writing=ClipWriting(
            description=made.wording.description,
            tags=list(made.wording.tags),
            writer=made.wording.writer,
            note=made.wording.note,
        ),
        reasons=pick.reasons,
        words=words,
        files=_files(stem, made, parcel, transcript, slides, speaker),
        framing=[look.plan for look in dressed.production.looks],
        tightening=[RemovedEntry.model_validate({**row, "removed": tightened}) for row in dressed.removals],
        intro_s=round(clip.intro_s, 3),
        captions=dressed.report,
        checks=ClipChecks.of(clip.checks, clip.repairs, caption_warnings(dressed.report)),
        render_key=made.ref.key,
    )


def _files(
    stem: str,
    made: Finished,
    parcel: Parcel,
    transcript: Transcript | None,
    slides: Sequence[Slide],
    speaker: str,
) -> ClipFiles:
    dressed, clip = made.dressed, made.clip
    formats: dict[str, dict[str, str]] = {}
    main = clip.files[0]
    for file in clip.files:
        format = "" if file.format == main.format else f"-{file.format}"
        first = next(other for other in clip.files if other.format == file.format)
        name = f"{stem}{format}{'' if file is first else f'-{file.rendition}'}.mp4"
        formats.setdefault(file.format, {})[file.rendition] = name
        parcel.copies[name] = store().path(made.ref, file.name)
    parcel.copies |= {
        f"{stem}.jpg": store().path(made.ref, POSTER_NAME),
        f"{stem}-sheet.jpg": store().path(made.ref, SHEET_NAME),
    }
    posters = {file.format: f"{stem}-{file.format}.jpg" for file in clip.files if file.format != main.format}
    parcel.copies |= {name: store().path(made.ref, f"{format}.jpg") for format, name in posters.items()}
    hls, parts = _streams(stem, made, parcel)
    cues = shifted(dressed.cues, clip.intro_s)
    if cues:
        shown = [ShownSlide(s.start_s + clip.intro_s, s.end_s + clip.intro_s, s.title) for s in dressed.slides]
        parcel.texts |= {
            f"{stem}.srt": to_srt(cues),
            f"{stem}.vtt": to_vtt(cues, speaker=speaker or None, slides=shown),
            f"{stem}.txt": to_text(
                transcript.sentences if transcript else (), slides, span=Span(clip.start_s, clip.end_s)
            ),
        }
    return ClipFiles(
        video=f"{stem}.mp4",
        poster=f"{stem}.jpg",
        sheet=f"{stem}-sheet.jpg",
        srt=f"{stem}.srt" if cues else None,
        vtt=f"{stem}.vtt" if cues else None,
        text=f"{stem}.txt" if cues else None,
        formats=formats,
        posters=posters,
        hls=hls,
        parts=parts,
    )


def _streams(stem: str, made: Finished, parcel: Parcel) -> tuple[dict[str, str], list[str]]:
    """Format -> master playlist, and all other files of the streaming packages."""
    hls: dict[str, str] = {}
    parts: list[str] = []
    for name in store().names(made.ref):
        if not name.startswith(f"{HLS_FOLDER}/"):
            continue
        published = f"{stem}.hls/{name.removeprefix(f'{HLS_FOLDER}/')}"
        parcel.copies[published] = store().path(made.ref, name)
        if name.endswith("/master.m3u8"):
            hls[name.split("/")[1]] = published
        else:
            parts.append(published)
    return hls, parts


def caption_warnings(report: CaptionReport | None) -> list[str]:
    """What is wrong with the captions, in a sentence each; the report has the particulars."""
    if report is None:
        return []
    told = []
    if broken := len(report.told):
        told.append(f"In {report.cues} captions a rule is broken {broken} {'time' if broken == 1 else 'times'}.")
    for times_s, what in ((report.over_mouth, "the speaker's mouth"), (report.over_text, "text on the slide")):
        if times_s:
            told.append(f"{len(times_s)} of {report.cues} captions stand over {what}, for want of room.")
    return told

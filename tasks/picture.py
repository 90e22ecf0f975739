"""What is seen: changes of the picture, how slide and speaker share it, and what stands on the slides."""

from pathlib import Path
from tempfile import TemporaryDirectory

from prefect import task

from core import codec
from core.boxes import Box
from core.files import to_path
from core.home import store
from core.layout_scan import find_layouts
from core.machine import cores
from core.pools import INFERENCE
from core.records import MediaInfo, MediaRef, ModelRef, SlideSpan, Span, StageRef
from core.sights import LayoutSpan, Sighting, Slide
from core.slide_index import read_slides
from core.slides_scan import FrameReport, find_changes
from core.thumbnails import write_thumbnails
from tasks.entries import envelope, read_value, write_value
from tasks.slots import slot
from tasks.stage import STAGE, Entry, worth_retrying

PICTURE_VERSION = "3"
LAYOUT_VERSION = "1"
SLIDES_VERSION = "2"
FOLLOW_VERSION = "1"
SCAN_NAME = "scan.json"
"""How the picture was read, beside its changes."""


@task(
    name="frames",
    task_run_name="frames",
    cache_policy=STAGE,
    result_serializer="json",
    retries=1,
    retry_delay_seconds=10,
    retry_condition_fn=worth_retrying,
)
def scan_picture(recording: MediaRef, info: MediaInfo, version: str = PICTURE_VERSION) -> StageRef:
    """Slide and shot changes as `list[SlideSpan]`, thumbnails beside them."""
    entry = Entry()
    with entry.writing() as at:
        path = to_path(recording.uri)
        with TemporaryDirectory(dir=at.folder) as scratch:
            changes, report = find_changes(
                path, info, scratch=Path(scratch), on_progress=lambda done_s: at.tell(0.9 * done_s / info.duration_s)
            )
            spans = write_thumbnails(
                path, info, changes, report.settled_s, at.folder, scratch=Path(scratch), decoder=report.decoder
            )
        (at.folder / SCAN_NAME).write_bytes(codec.dump(report, FrameReport))
        write_value(at.folder, spans, list[SlideSpan])
    return entry.ref


def scan_of(picture: StageRef) -> FrameReport:
    """How the picture was read when its changes were found."""
    return codec.load(store().read_bytes(picture, SCAN_NAME), FrameReport)


@task(
    name="layout",
    task_run_name="layout",
    cache_policy=STAGE,
    result_serializer="json",
    retries=1,
    retry_delay_seconds=10,
    retry_condition_fn=worth_retrying,
)
def find_layout(
    recording: MediaRef, info: MediaInfo, picture: StageRef, faces: ModelRef, version: str = LAYOUT_VERSION
) -> StageRef:
    """How slide and speaker share the picture, as `list[LayoutSpan]`."""
    from models.faces import load_faces

    entry = Entry()
    with entry.writing() as at, TemporaryDirectory(dir=at.folder) as scratch:
        scan = scan_of(picture)
        spans = find_layouts(
            to_path(recording.uri),
            info,
            read_value(picture, list[SlideSpan]),
            scan.settled_s,
            find_faces=load_faces(cores()).find,
            scratch=Path(scratch),
            decoder=scan.decoder,
            on_progress=lambda done_s: at.tell(done_s / info.duration_s),
        )
        write_value(at.folder, spans, list[LayoutSpan])
    return entry.ref


@task(
    name="slides",
    task_run_name="slides",
    cache_policy=STAGE,
    result_serializer="json",
    retries=1,
    retry_delay_seconds=10,
    retry_condition_fn=worth_retrying,
)
def read_slide_text(
    recording: MediaRef,
    info: MediaInfo,
    picture: StageRef,
    layout: StageRef,
    ocr: ModelRef,
    version: str = SLIDES_VERSION,
) -> StageRef:
    """What stands on the slides, as `list[Slide]`, with a picture of each."""
    from models.slides import load_ocr

    entry = Entry()
    with slot(INFERENCE), entry.writing() as at, TemporaryDirectory(dir=at.folder) as scratch:
        scan = scan_of(picture)
        found = read_slides(
            to_path(recording.uri),
            info,
            read_value(picture, list[SlideSpan]),
            scan.settled_s,
            read_value(layout, list[LayoutSpan]),
            reader=load_ocr(cores()),
            folder=at.folder,
            scratch=Path(scratch),
            decoder=scan.decoder,
            on_progress=lambda done_s: at.tell(done_s / info.duration_s),
        )
        write_value(at.folder, found, list[Slide])
    return entry.ref


@task(
    name="follow",
    task_run_name="follow the speaker at {span.start_s:.0f} s",
    cache_policy=STAGE,
    result_serializer="json",
    retries=1,
    retry_delay_seconds=10,
    retry_condition_fn=worth_retrying,
)
def follow_speaker(
    recording: MediaRef,
    info: MediaInfo,
    span: Span,
    layout: StageRef,
    sound: StageRef | None,
    faces: ModelRef,
    version: str = FOLLOW_VERSION,
) -> StageRef:
    """Where the speaker's face is during one moment, as `list[Sighting]`."""
    from models import speaker
    from models.faces import load_faces

    entry = Entry()
    with entry.writing() as at, TemporaryDirectory(dir=at.folder) as scratch:
        layouts = read_value(layout, list[LayoutSpan])
        heard = envelope(sound) if sound else None

        def camera_at(time_s: float) -> Box | None:
            return next((each.face_box for each in layouts if each.start_s <= time_s < each.end_s), None)

        found = speaker.follow_speaker(
            to_path(recording.uri),
            info,
            span.start_s,
            span.end_s,
            level_dbfs=heard.level_dbfs if heard else None,
            hop_s=heard.hop_s if heard else 1.0,
            region=camera_at,
            detector=load_faces(cores()),
            scratch=Path(scratch),
            on_progress=lambda done_s: at.tell(done_s / span.length_s),
        )
        write_value(at.folder, list(found), list[Sighting])
    return entry.ref

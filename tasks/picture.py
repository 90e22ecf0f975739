"""What is seen: slide and shot changes, with a thumbnail of each."""

from pathlib import Path
from tempfile import TemporaryDirectory

from prefect import task

from core.files import to_path
from core.records import MediaInfo, MediaRef, SlideSpan, StageRef
from core.slides_scan import find_changes
from core.thumbnails import write_thumbnails
from tasks.entries import write_value
from tasks.stage import STAGE, Entry, worth_retrying

PICTURE_VERSION = "1"


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
                path, info, scratch=Path(scratch), on_progress=lambda done_s: at.tell(0.9 * done_s)
            )
            spans = write_thumbnails(
                path, info, changes, report.settled_s, at.folder, scratch=Path(scratch), decoder=report.decoder
            )
        write_value(at.folder, spans, list[SlideSpan])
    return entry.ref

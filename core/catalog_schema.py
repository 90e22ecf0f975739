"""The tables of the catalog: every column with its type, its unit and what it says.

A change that adds columns raises the minor number; readers take a column that an older file lacks as null and pass over
those they do not know. Anything else is a new major number, which lies in a folder of its own beside the old.
"""

from dataclasses import dataclass

import pyarrow as pa

MAJOR, MINOR = 1, 0
SCHEMA_KEY = b"winnow.schema"
TABLE_KEY = b"winnow.table"
DAY = "day"
ENTRY = "entry"

TEXT, NUMBER, COUNT, FLAG = pa.string(), pa.float64(), pa.int64(), pa.bool_()
TIME = pa.timestamp("ms", tz="UTC")
STAGES = pa.list_(pa.struct([("name", TEXT), ("seconds", NUMBER), ("cached", FLAG)]))
MODELS = pa.list_(pa.struct([("role", TEXT), ("name", TEXT), ("version", TEXT), ("sha256", TEXT)]))
TOOLS = pa.list_(pa.struct([("name", TEXT), ("version", TEXT)]))
FILES = pa.list_(pa.struct([("name", TEXT), ("bytes", COUNT)]))
SIZES = pa.list_(pa.struct([("format", TEXT), ("rendition", TEXT), ("file", TEXT), ("bytes", COUNT)]))


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `unit` is empty for text and for numbers that have none."""

    name: str
    type: pa.DataType
    says: str
    unit: str = ""


SAME = (
    Column(ENTRY, TEXT, "key of recording and run: rows with the same were written together, once"),
    Column("sha256", TEXT, "the recording's content hash; null where it could not be read"),
    Column("run_id", TEXT, "the run, or the attempt of one, that wrote the row"),
    Column("name", TEXT, "the recording's file name"),
)
TABLES: dict[str, tuple[Column, ...]] = {
    "videos": (
        *SAME,
        Column("uri", TEXT, "where the recording lay"),
        Column("title", TEXT, "title in the recording's own metadata"),
        Column("bytes", COUNT, "size of the recording", "bytes"),
        Column("duration_s", NUMBER, "length of the recording", "s"),
        Column("width", COUNT, "width of the picture as shown; null without picture", "px"),
        Column("height", COUNT, "height of the picture as shown", "px"),
        Column("frame_rate", TEXT, "frames a second as an exact fraction, such as 30000/1001"),
        Column("has_video", FLAG, "there is a picture"),
        Column("has_audio", FLAG, "there is sound"),
        Column("transcript_source", TEXT, "model that recognised speech, or captions; null without a transcript"),
        Column("language", TEXT, "spoken language, such as en"),
        Column("sentences", COUNT, "sentences of the transcript"),
        Column("words", COUNT, "words of the transcript"),
    ),
    "highlights": (
        *SAME,
        Column("kind", TEXT, "clip: became one; rejected: failed the checks; runner_up: was not chosen"),
        Column("rank", COUNT, "1 is the best of the recording; null for others than clips"),
        Column("start_s", NUMBER, "start on the recording's timeline", "s"),
        Column("end_s", NUMBER, "end on the recording's timeline", "s"),
        Column("score", NUMBER, "what the moment is worth, 0 to 1; null where rejected"),
        Column("title", TEXT, "title of the clip"),
        Column("text", TEXT, "what is said"),
        Column("reason", TEXT, "why it was rejected or lost"),
        Column("reasons", TEXT, "parts of the score and what was seen, as JSON; null for others than clips"),
    ),
    "clips": (
        *SAME,
        Column("clip", COUNT, "1 is the first on the recording's timeline"),
        Column("rank", COUNT, "1 is the best of the recording"),
        Column("score", NUMBER, "what the moment is worth, 0 to 1"),
        Column("title", TEXT, "title"),
        Column("description", TEXT, "description"),
        Column("tags", pa.list_(TEXT), "tags written for the clip"),
        Column("writer", TEXT, "who wrote title and description: offline, or a model's name"),
        Column("start_s", NUMBER, "start on the recording's timeline", "s"),
        Column("end_s", NUMBER, "end on the recording's timeline", "s"),
        Column("duration_s", NUMBER, "length as it plays, measured on the file; null where unknown", "s"),
        Column("removed_s", NUMBER, "pauses and fillers taken out", "s"),
        Column("loudness_lufs", NUMBER, "integrated loudness, measured on the file", "LUFS"),
        Column("true_peak_dbtp", NUMBER, "true peak, measured on the file", "dBTP"),
        Column("folder", TEXT, "the manifest's folder, which the files' names are relative to"),
        Column("video", TEXT, "the first format in its largest size"),
        Column("poster", TEXT, "poster picture"),
        Column("srt", TEXT, "captions as SRT; null where nothing is said"),
        Column("vtt", TEXT, "captions as WebVTT"),
        Column("sizes", SIZES, "every format and rendition; bytes null where unknown", "bytes"),
        Column("files", FILES, "every file; bytes null where unknown", "bytes"),
        Column("bytes", COUNT, "all files together; null where one is unknown", "bytes"),
        Column("warnings", pa.list_(TEXT), "what was noticed on the finished clip"),
        Column("repairs", pa.list_(TEXT), "what was repaired"),
        Column("render_key", TEXT, "key of the stored rendering"),
        Column("template", TEXT, "brand template"),
    ),
    "failures": (
        *SAME,
        Column("uri", TEXT, "where the recording lay"),
        Column("at", TIME, "when it failed", "UTC"),
        Column("reason", TEXT, "what failed and why"),
        Column("error", TEXT, "class of the error"),
        Column("stage", TEXT, "stage that failed; null where unknown"),
        Column("log", TEXT, "where to look: address of the run's page or of its log"),
        Column("seconds", NUMBER, "seconds until it failed", "s"),
    ),
    "runs": (
        *SAME,
        Column("uri", TEXT, "where the recording lay"),
        Column("status", TEXT, "done, rejected, failed or skipped"),
        Column("reason", TEXT, "why not done"),
        Column("began", TIME, "when the recording's turn began", "UTC"),
        Column("seconds", NUMBER, "wall time from then to its end", "s"),
        Column("duration_s", NUMBER, "length of the recording; null where it was not read", "s"),
        Column("clips", COUNT, "clips made"),
        Column("stages", STAGES, "stages in the order they ended; seconds are of work, also where it was cached", "s"),
        Column("models", MODELS, "models used, with their immutable versions"),
        Column("tools", TOOLS, "programs and packages used"),
        Column("settings", TEXT, "settings of the run, as JSON"),
        Column("warnings", pa.list_(TEXT), "what a person should know"),
        Column("manifest", TEXT, "where the manifest lies"),
        Column("priority", TEXT, "low, normal, high or urgent"),
        Column("tags", pa.list_(TEXT), "tags of the run"),
        Column("machine", TEXT, "name of the machine that did the work"),
        Column("winnow", TEXT, "version of Winnow"),
    ),
}
"""In the order in which they are written: whoever finds a recording's row in `runs` finds all its others."""


def schema(table: str) -> pa.Schema:
    """The columns of a file of `table`; the day is in its folder's name. Raises KeyError for no such table."""
    fields = [
        pa.field(column.name, column.type, metadata={"says": column.says, "unit": column.unit})
        for column in TABLES[table]
    ]
    return pa.schema(fields, metadata={SCHEMA_KEY: f"{MAJOR}.{MINOR}".encode(), TABLE_KEY: table.encode()})


def read_schema(table: str) -> pa.Schema:
    """The columns that a reader gets: those of the files, and the day (of the run, UTC)."""
    return schema(table).append(pa.field(DAY, pa.date32()))


def as_markdown(table: str) -> str:
    """The columns as a table for the documentation."""
    lines = ["| column | type | unit | what it says |", "| --- | --- | --- | --- |"]
    for column in TABLES[table]:
        kind = str(column.type).replace("element: ", "").replace("item: ", "")
        lines.append(f"| `{column.name}` | {kind} | {column.unit} | {column.says} |")
    return "\n".join(lines)

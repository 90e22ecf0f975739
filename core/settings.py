"""What a person may choose about a run. One source for the command's options, the flow's form and the manifest.

Each group holds what one stage depends on, so that changing a setting redoes only that stage and those after it.
Field names are unique over all groups: `silence_dbfs` is `--silence-dbfs` on the command line.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from core.framing_plan import Format


class Group(BaseModel):
    """Settings that stand or fall together: frozen, and unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AdmissionSettings(Group):
    """Which recordings are taken."""

    max_hours: Annotated[float, Field(gt=0, le=48, description="Longest recording taken, in hours.")] = 12.0
    max_gb: Annotated[float, Field(gt=0, description="Largest file taken, in gigabytes (10^9 bytes).")] = 100.0


class SilenceSettings(Group):
    """What counts as silence."""

    silence_dbfs: Annotated[
        float, Field(ge=-90, lt=0, description="Level below which sound is silence, in dBFS (RMS over 20 ms).")
    ] = -40.0
    min_silence_ms: Annotated[int, Field(ge=100, le=60_000, description="Shortest silence reported, in ms.")] = 1_000


def _listed(value: Any) -> Any:
    """What a command line gives as "a,b" is a list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


FilePath = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)]
Clips = Annotated[int, Field(ge=1, le=100, description="Most clips cut from one recording.")]
MinSeconds = Annotated[float, Field(ge=1, le=3_600, description="Shortest clip, in seconds.")]
MaxSeconds = Annotated[float, Field(ge=1, le=3_600, description="Longest clip, in seconds.")]
About = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=300),
    Field(
        title="About",
        description="Turn the picks toward this subject, in words of your own: a topic or a question.",
    ),
]
BurnCaptions = Annotated[bool, Field(description="Draw the captions into the picture.")]
Formats = Annotated[
    tuple[Format, ...],
    BeforeValidator(_listed),
    AfterValidator(_once),
    Field(
        title="Formats",
        description="Formats of each clip, one or more: source (as recorded), vertical (9:16), square (1:1);"
        " else the template's, else source.",
    ),
]
CaptionStyleName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=60),
    Field(title="Caption style", description="How drawn captions look: plain, highlight, karaoke, bold."),
]
TemplateName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=500),
    Field(title="Template", description="Brand template: a name, or the path of its YAML file."),
]
Tighten = Annotated[
    Literal["no", "preview", "pauses", "all"],
    Field(
        title="Tighten",
        description="Remove long pauses, or pauses and fillers (all), inside clips; preview only lists what would go.",
    ),
]
Renditions = Annotated[
    tuple[str, ...],
    Field(min_length=1),  # before the validators, so that the form knows it for an array's
    BeforeValidator(_listed),
    AfterValidator(_once),
    Field(title="Renditions", description="Sizes of each clip, of the ladder: hd, sd, mobile."),
]
Hls = Annotated[bool, Field(title="HLS", description="Also package each clip for streaming (HLS, fMP4 segments).")]
Reel = Annotated[bool, Field(description="Also join the clips into one reel with chapters.")]
ModelName = Annotated[str, Field(min_length=1, description="Scoring model: a name, name@version or alias.")]
SpeechModel = Annotated[
    str, Field(min_length=1, description="Whisper model: tiny.en, base (many languages), or a CTranslate2 folder.")
]
Language = Annotated[
    str | None,
    Field(pattern="^[a-z]{2,3}$", description="Spoken language, such as en; else a multilingual model detects it."),
]


class SpeechSettings(Group):
    """How speech is recognised."""

    speech_model: SpeechModel = "tiny.en"
    language: Language = None


class SelectionSettings(Group):
    """Which moments become clips."""

    clips: Clips = 8
    min_s: MinSeconds = 20.0
    max_s: MaxSeconds = 120.0
    about: About = ""

    @model_validator(mode="after")
    def band_is_not_empty(self) -> "SelectionSettings":
        if self.min_s > self.max_s:
            raise ValueError(f"min_s must not exceed max_s, got {self.min_s:g} > {self.max_s:g}")
        return self


class EncodingSettings(Group):
    """How clips are encoded."""

    loudness_lufs: Annotated[float, Field(ge=-40, le=-8, description="Integrated loudness of a clip, in LUFS.")] = -14.0
    max_height: Annotated[int, Field(ge=144, le=4_320, description="Taller pictures are scaled down to this.")] = 1_080
    quality_crf: Annotated[int, Field(ge=10, le=40, description="x264 constant rate factor; lower is better.")] = 21
    encoder_preset: Annotated[
        Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"],
        Field(description="x264 preset: slower makes smaller files."),
    ] = "veryfast"
    encoder: Annotated[
        Literal["x264", "auto", "nvenc", "videotoolbox", "qsv", "amf"],
        Field(description="What encodes: x264, a hardware encoder that passes a trial, or auto (hardware if it does)."),
    ] = "x264"
    ladder: Annotated[FilePath, Field(description="YAML file with a ladder of sizes of your own.")] = ""


class RenderSettings(EncodingSettings):
    """How clips look and sound."""

    burn_captions: BurnCaptions = False
    renditions: Renditions = ("hd",)
    hls: Hls = False


class LookSettings(Group):
    """How clips are framed and dressed."""

    formats: Formats = ()
    caption_style: CaptionStyleName = ""
    template: TemplateName = ""
    tighten: Tighten = "no"
    framing: Annotated[FilePath, Field(description="JSON file with framing plans of your own for single clips.")] = ""


class WritingSettings(Group):
    """What is written: captions, titles, descriptions."""

    glossary: Annotated[FilePath, Field(description="File of terms to write right: YAML or plain text.")] = ""
    profanity: Annotated[
        Literal["keep", "mask", "remove"], Field(description="Swear words in captions and titles.")
    ] = "keep"
    condense: Annotated[
        Literal["no", "fillers", "all"],
        Field(
            description="What captions leave out where speech is too fast to read: nothing, fillers and repetitions, "
            "or (all) also the words that tell least, so that 17 characters a second are kept."
        ),
    ] = "all"
    titles: Annotated[
        Literal["offline", "endpoint", "local"],
        Field(description="Who writes titles: nobody but Winnow, an OpenAI-compatible endpoint, or a local model."),
    ] = "offline"
    speaker: Annotated[
        str,
        StringConstraints(strip_whitespace=True, max_length=100),
        Field(description="Name of the speaker, for lower thirds and caption files."),
    ] = ""


class Settings(Group):
    """Everything that a run may be told, with the model that scores."""

    selection: SelectionSettings = SelectionSettings()
    rendering: RenderSettings = RenderSettings()
    look: LookSettings = LookSettings()
    writing: WritingSettings = WritingSettings()
    speech: SpeechSettings = SpeechSettings()
    silences: SilenceSettings = SilenceSettings()
    admission: AdmissionSettings = AdmissionSettings()
    model: ModelName = "champion"
    reel: Reel = True

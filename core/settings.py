"""What a person may choose about a run. One source for the command's options, the flow's form and the manifest.

Each group holds what one stage depends on, so that changing a setting redoes only that stage and those after it.
Field names are unique over all groups: `silence_dbfs` is `--silence-dbfs` on the command line.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


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


class RenderSettings(EncodingSettings):
    """How clips look and sound."""

    burn_captions: BurnCaptions = False


class Settings(Group):
    """Everything that a run may be told, with the model that scores."""

    selection: SelectionSettings = SelectionSettings()
    rendering: RenderSettings = RenderSettings()
    speech: SpeechSettings = SpeechSettings()
    silences: SilenceSettings = SilenceSettings()
    admission: AdmissionSettings = AdmissionSettings()
    model: ModelName = "champion"
    reel: Reel = True

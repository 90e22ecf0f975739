"""Which version of each model a run uses: every name and alias is resolved once, at its start."""

from core.records import RunModels
from core.settings import Settings
from models import about, faces, pretrained, registry, slides


def resolve_models(settings: Settings) -> RunModels:
    """Resolve what the settings name. Raises RefusedInput or WeightsError for what does not exist here."""
    return RunModels(
        highlight=registry.resolve_scoring(settings.model, registry.roots()),
        speech=pretrained.resolve_speech(settings.speech.speech_model),
        text=pretrained.resolve("all-minilm-l6-v2"),
        faces=faces.resolve_faces(),
        ocr=slides.resolve(),
        about=registry.resolve(about.NAME) if settings.selection.about else None,
    )

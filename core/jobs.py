"""One recording of a nightly, as a job that any process of any machine can do: small, and plain as JSON."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from core.identity import key_of
from core.nightly_report import Priority
from core.settings import Settings
from core.sources import InboxObject

Engine = Literal["threads", "ray", "dask", "workers"]
Queue = Literal["cpu", "gpu"]


class Job(BaseModel):
    """What a nightly hands on for each recording."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: Annotated[str, Field(description="The nightly that the recording is part of.")]
    began: Annotated[AwareDatetime, Field(description="When that nightly began.")]
    store_uri: Annotated[str, Field(description="Where clips and catalog go: a folder or s3://bucket/prefix.")]
    found: Annotated[InboxObject, Field(description="The recording, as it was listed.")]
    captions: Annotated[InboxObject | None, Field(description="The caption file beside it.")] = None
    settings: Annotated[Settings, Field(description="How clips are made; its model is a fixed version.")] = Settings()
    cache_gb: Annotated[float, Field(gt=0, description="Most that fetched recordings take on a machine's disk.")] = 50.0
    priority: Priority = "normal"
    tags: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Tells the jobs of one nightly apart."""
        return key_of("job", self.run_id, self.found.uri)

    @property
    def labels(self) -> tuple[str, ...]:
        """Tags for the run: those given, and the priority."""
        return (*self.tags, f"priority:{self.priority}")

"""What a work pool starts for each run: the base job templates of `deploy/`, with what differs from pool to pool."""

import copy
import json
from pathlib import Path
from typing import Any

import yaml

from core.errors import WinnowError
from core.pools import GPU, PoolType

DEPLOY = Path(__file__).parents[1] / "deploy"
DIFFERENCES = "pools.yaml"
"""Defaults of the templates' variables, by type and pool."""


def job_template(kind: PoolType, pool: str, image: str | None = None, folder: Path = DEPLOY) -> dict[str, Any]:
    """The base job template of a pool.

    Args:
        kind: The pool's type. A process needs nothing of ours: Prefect's own template.
        pool: Its name.
        image: Of the containers, instead of the template's. A name without a tag gets `cpu`, or `cuda` with a GPU.
        folder: Where the templates lie.

    Raises WinnowError where they are not there.
    """
    if kind == "process":
        from prefect.workers.process import ProcessWorker

        return ProcessWorker.get_default_base_job_template()
    file = folder / f"{kind}-job.json"
    if not file.is_file():
        raise WinnowError(f"Setting up pools of type {kind} needs {file}, which comes with the project's repository.")
    template = copy.deepcopy(json.loads(file.read_text()))
    defaults = yaml.safe_load((folder / DIFFERENCES).read_text())[kind].get(pool) or {}
    if image:
        defaults = {**defaults, "image": tagged(image, "cuda" if pool == GPU else "cpu")}
    properties = template["variables"]["properties"]
    for name, value in defaults.items():
        properties[name]["default"] = value
    return template


def tagged(image: str, tag: str) -> str:
    """The image with the tag, unless it has one, or a digest, of its own. A colon before a slash is a port."""
    return image if "@" in image or ":" in image.rpartition("/")[2] else f"{image}:{tag}"

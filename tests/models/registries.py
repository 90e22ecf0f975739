"""Registries to try things on: what a version needs, and a bucket that can be told to misbehave."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from models import registering, registry

KNOWN = {"kind": "highlight", "description": "Learned.", "licence": "Apache-2.0"}


def safetensors(values: bytes = bytes(4)) -> bytes:
    header = json.dumps({"w": {"dtype": "U8", "shape": [len(values)], "data_offsets": [0, len(values)]}}).encode()
    return len(header).to_bytes(8, "little") + header + values


@dataclass
class Bucket:
    """A bucket on an S3 server of our own that answers one request at a time, and can be told to misbehave."""

    uri: str
    fault: Callable[[dict[str, Any]], str | None] | None = None
    """Asked about each request: "lose" does it and answers with an error, "deny" answers with one, "strip" forgets
    the request's conditions."""
    served: list[str] = field(default_factory=list)

    def door(self, app: Any) -> Any:
        def answer(environ: dict[str, Any], start: Any) -> Any:
            self.served.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            fault = self.fault(environ) if self.fault else None
            if fault == "strip":
                environ.pop("HTTP_IF_NONE_MATCH", None)
            if fault == "lose":
                b"".join(app(environ, lambda *_: None))
            if fault in ("lose", "deny"):
                start("500 Internal Server Error" if fault == "lose" else "403 Forbidden", [("Content-Length", "0")])
                return [b""]
            return app(environ, start)

        return answer


def put(root: str, name: str = "mine", weights: bytes = b"1234", **fields: Any) -> registry.ModelRef:
    return registering.register(root, name, {"model.safetensors": safetensors(weights)}, {**KNOWN, **fields})

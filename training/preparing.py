"""`python -m training.preparing CONFIG.yaml OUT.json`: make the corpora of a configuration ready without fitting.

What is ready is found by every fit on the same data. OUT.json then says what the data is, to the letter.
"""

import json
import os
import sys
from pathlib import Path

import yaml
from jsonargparse import ArgumentParser

from core.errors import WinnowError
from core.files import write_atomically
from training.data import LectureData


def main(arguments: list[str]) -> int:
    """Prepare, and return the exit code: 2 for a configuration or data that cannot be used."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    config, out = map(Path, arguments)
    parser = ArgumentParser(prog="training.preparing")
    parser.add_class_arguments(LectureData, "data")
    parsed = parser.parse_object({"data": yaml.safe_load(config.read_text()).get("data", {})})
    data = LectureData(**parsed["data"].as_dict())
    try:
        data.setup("fit")
    except WinnowError as error:
        print(f"training: {error}", file=sys.stderr)
        return 2
    described = {
        split: {
            "fingerprint": corpus.fingerprint,
            "lectures": len(corpus),
            "sentences": int(corpus.arrays["starts"][-1]),
        }
        for split, corpus in data.corpora.items()
    }
    write_atomically(out, json.dumps(described))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

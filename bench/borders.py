"""How well topic ends are told from the words beside them, and how much of it is known by heart.

    python -m bench.borders FOLDER [--settings 2:0.003 5:0.005]

FOLDER holds VT-SSum. A setting is the passes through the training lectures and the learning rate. Accuracy, in percent,
on all development lectures; on those that are repeated, of whose longer sentences more than 30 % stand word for word in
train; and on the others. The threshold is the best one for each column, which flatters all of them alike. One to three
minutes a setting on one core, after some for reading the data.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models import encoders, text
from training import borders
from training.data import LectureData, read
from training.splits import normalised

LONG_CHARACTERS = 40
REPEATED = 0.3
THRESHOLDS = np.linspace(-2, 2, 41)


def repeated(folder: Path) -> NDArray[np.bool_]:
    """Whether each development lecture is one that stands in train, too."""
    seen = {text for lecture in read("vt_ssum", folder, "train") for text in normalised(long(lecture.sentences))}
    found = []
    for lecture in read("vt_ssum", folder, "dev"):
        kept = normalised(long(lecture.sentences))
        found.append(bool(kept) and float(np.mean([text in seen for text in kept])) > REPEATED)
    return np.array(found)


def long(sentences: tuple[str, ...]) -> list[str]:
    return [sentence for sentence in sentences if len(sentence) > LONG_CHARACTERS]


def area(logits: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: how often a topic end has the higher logit of two borders."""
    rank = np.empty(len(logits))
    rank[np.argsort(logits)] = np.arange(len(logits))
    yes = int(truth.sum())
    return float((rank[truth].sum() - yes * (yes - 1) / 2) / yes / (len(logits) - yes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--settings", nargs="+", default=["2:0.003", "2:0.005", "3:0.005", "5:0.005"])
    given = parser.parse_args()
    data = LectureData("vt_ssum", str(given.folder), with_vectors=False)
    data.setup("fit")
    marks = text.marks(encoders.resolve(data.encoder).folder)
    train = borders.examples(data.corpora["train"], data.rarity, marks)
    found, ends = borders.examples(data.corpora["dev"], data.rarity, marks)
    truth, lectures = ends.numpy() > 0, data.corpora["dev"]
    again = np.repeat(repeated(given.folder), np.diff(lectures.arrays["starts"]))
    parts = {"all": np.ones(len(truth), bool), "repeated": again, "others": ~again}
    print(f"| passes, rate | {' | '.join(f'{name}: accuracy, AUC' for name in parts)} |\n|{' --- |' * 4}")
    print(f"| always no | {' | '.join(f'{100 * (1 - truth[part].mean()):.2f}' for part in parts.values())} |")
    for setting in given.settings:
        passes, rate = setting.split(":")
        model = borders.fit_to(*train, marks, passes=int(passes), rate=float(rate))
        weights = torch.from_numpy(model.weights.astype(np.float32))
        sums = torch.cat([weights[rows.long()].sum(1) for rows in found.split(20_000)]).numpy()
        logits = sums.astype(np.float64) * model.unit + model.bias
        cells = []
        for part in parts.values():
            best = max(float(((logits[part] > at) == truth[part]).mean()) for at in THRESHOLDS)
            cells.append(f"{100 * best:.2f}, {area(logits[part], truth[part]):.3f}")
        print(f"| {passes}, {rate} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

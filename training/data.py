"""Lectures to the network: which data, in which order, and what of each lecture is shown."""

from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import LightningDataModule, Trainer
from torch.utils.data import DataLoader

from core.errors import RefusedInput
from models import encoders, text
from models.highlight import Batch
from models.lecture_input import lecture_input
from training.corpus import Corpus, PreparedLecture, prepare
from training.lectures import LabelledLecture
from training.losses import Targets
from training.teacher import cut_into_slides

Example = tuple[Batch, Targets]
MOST_SENTENCES = 1_200
"""Longer lectures are cut into parts of so many sentences for training; attention grows with their square."""


def example_of(
    lecture: PreparedLecture, rarity: np.ndarray, *, show_slides: bool, part: slice | None = None
) -> Example:
    """The network's input and what it should say. Where slides are shown, topic ends are not asked: they are given."""
    label, segment = lecture.label, lecture.segment
    tokens, vectors, ends, teacher = lecture.tokens, lecture.vectors, lecture.ends, lecture.teacher
    if part is not None:
        label, segment = label[part], segment[part]
        vectors, ends, teacher = (v if v is None else v[part] for v in (vectors, ends, teacher))
        first, stop = part.start, min(part.stop, len(tokens.lengths))
        offsets = np.concatenate([[0], np.cumsum(tokens.lengths)])
        tokens = type(tokens)(tokens.ids[offsets[first] : offsets[stop]], tokens.lengths[part])
    known = bool((segment >= 0).all())
    found = lecture_input(
        tokens,
        rarity,
        slides=segment.astype(np.int64) if show_slides and known else None,
        vectors=None if vectors is None else vectors.astype(np.float32),
        dimension=0 if vectors is None else vectors.shape[1],
    )
    last = np.full(len(label), -1, np.float32)
    if known and not found.has_slides:
        last = np.append(segment[1:] != segment[:-1], True).astype(np.float32)
    if ends is not None:
        last = np.full(len(label), -1, np.float32) if found.has_slides else ends.astype(np.float32)
    targets = Targets(
        torch.from_numpy(label.astype(np.float32)),
        torch.from_numpy(segment.astype(np.int64)),
        torch.from_numpy(last),
        None if teacher is None else torch.from_numpy(teacher.astype(np.float32)),
    )
    return Batch.of(found), targets


class Steps:
    """Endless steps of lectures, each pass in its own order, the same in every process and after a stop.

    Item k of the order is lecture `order[k]`, shown with or without slides by its own coin. A process takes its share
    of each step, so that several processes together see what one would.
    """

    def __init__(
        self, corpus: Corpus, rarity: np.ndarray, *, lectures_a_step: int, slides_shown: float, seed: int,
        first_step: int, rank: int, processes: int, most_sentences: int = MOST_SENTENCES,
    ) -> None:  # fmt: skip
        if lectures_a_step % processes:
            raise ValueError(f"lectures_a_step must be a multiple of {processes} processes, got {lectures_a_step}")
        self.corpus, self.rarity, self.seed = corpus, rarity, seed
        self.lectures_a_step, self.slides_shown = lectures_a_step, slides_shown
        self.first_step, self.rank, self.processes = first_step, rank, processes
        self.most_sentences = most_sentences

    def __iter__(self) -> Iterator[list[Example]]:
        own = self.lectures_a_step // self.processes
        step = self.first_step
        while True:
            first = step * self.lectures_a_step + self.rank * own
            yield [self._example(place) for place in range(first, first + own)]
            step += 1

    def _example(self, place: int) -> Example:
        turn, at = divmod(place, len(self.corpus))
        index = int(np.random.default_rng((self.seed, turn)).permutation(len(self.corpus))[at])
        coin = np.random.default_rng((self.seed, turn, at))
        lecture = self.corpus[index]
        count, part = len(lecture.label), None
        if count > self.most_sentences:
            first = int(coin.integers(count - self.most_sentences + 1))
            part = slice(first, first + self.most_sentences)
        return example_of(lecture, self.rarity, show_slides=coin.random() < self.slides_shown, part=part)


class LectureData(LightningDataModule):
    """Training and development lectures of one data set.

    Args:
        source: "vt_ssum" (folder with its Parquet files), "meetings" (folder with the AMI and QMSum archives) or
            "sample" (a small made-up set, for trying things).
        path: Where the data lies.
        cache: Folder for what is prepared of it, kept by content.
        train_lectures: Use only so many of the training lectures; 0 for all.
        dev_lectures: Use only so many of the development lectures; 0 for all.
        lectures_a_step: Lectures whose gradients are averaged in a step, over all processes.
        slides_shown: Share of the lectures that are shown with their slides; from the others topic ends are learned.
        most_sentences: Of a longer lecture a step sees a part of so many sentences.
        encoder: Text encoder, as `encoders.resolve` takes it: its tokenizer cuts the words, its vectors are the data's.
        with_vectors: Whether vectors are computed, once; not for a network that reads words only, nor for fine-tuning.
        seed: Order of the lectures, and which are shown with slides.
        threads: Processor threads for embedding.
    """

    def __init__(
        self, source: str = "sample", path: str = "", cache: str = ".cache/corpora", train_lectures: int = 0,
        dev_lectures: int = 0, lectures_a_step: int = 4, slides_shown: float = 0.5,
        encoder: str = "all-minilm-l6-v2", with_vectors: bool = True, seed: int = 0, threads: int = 2,
        most_sentences: int = MOST_SENTENCES,
    ) -> None:  # fmt: skip
        super().__init__()
        self.source, self.path, self.cache = source, Path(path), Path(cache)
        self.train_lectures, self.dev_lectures = train_lectures, dev_lectures
        self.lectures_a_step, self.slides_shown, self.seed = lectures_a_step, slides_shown, seed
        self.encoder, self.with_vectors, self.threads = encoder, with_vectors, threads
        self.most_sentences = most_sentences
        self.corpora: dict[str, Corpus] = {}

    def prepare_data(self) -> None:
        self.setup("fit")  # the first process of a machine embeds; the others find what it wrote

    def setup(self, stage: str) -> None:
        if self.corpora:
            return
        base = encoders.resolve(self.encoder)
        encoder = text.load(base.folder, self.threads, dtype="bfloat16")
        for split, most in (("train", self.train_lectures), ("dev", self.dev_lectures)):
            lectures = read(self.source, self.path, split)[: most or None]
            if not lectures:
                raise RefusedInput(f"{self.path} has no lectures for {split}.")
            more = None
            if self.source == "meetings":
                lectures, more = cut_into_slides(lectures, self.threads)
            self.corpora[split] = prepare(
                lectures, encoder, base.sha256, self.cache, with_vectors=self.with_vectors, more=more
            )

    @cached_property
    def vocabulary(self) -> int:
        """The encoder's: token numbers lie below it."""
        return encoders.shape(encoders.resolve(self.encoder)).vocabulary

    @property
    def rarity(self) -> np.ndarray:
        """Rarity of tokens in the training lectures."""
        return self.corpora["train"].rarity(self.vocabulary)

    def train_dataloader(self) -> Any:
        trainer: Trainer | None = self.trainer
        return Steps(
            self.corpora["train"],
            self.rarity,
            lectures_a_step=self.lectures_a_step,
            slides_shown=self.slides_shown,
            seed=self.seed,
            first_step=trainer.global_step if trainer else 0,
            rank=trainer.global_rank if trainer else 0,
            processes=trainer.world_size if trainer else 1,
            most_sentences=self.most_sentences,
        )

    def val_dataloader(self) -> Any:
        """Each dev lecture twice: with slides for the highlights, without for the topic ends."""
        trainer, corpus, rarity = self.trainer, self.corpora["dev"], self.rarity
        rank, processes = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        own = range(rank, len(corpus), processes)
        show = partial(example_of, rarity=rarity)
        pairs = _Lectures([(index, shown) for index in own for shown in (True, False)], corpus, show)
        return DataLoader(pairs, batch_size=None)


class _Lectures(torch.utils.data.Dataset):
    def __init__(self, items: list[tuple[int, bool]], corpus: Corpus, show: Any) -> None:
        self.items, self.corpus, self.show = items, corpus, show

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, at: int) -> Example:
        index, shown = self.items[at]
        return self.show(self.corpus[index], show_slides=shown)


def read(source: str, path: Path, split: str) -> list[LabelledLecture]:
    """The labelled lectures of a split. Raises RefusedInput for an unknown source or data that cannot be read."""
    if source == "vt_ssum":
        from training.vt_ssum import read_labelled

        return read_labelled(path, split)
    if source == "meetings":
        from training.meetings import read_meetings

        return read_meetings(path, split)
    if source == "sample":
        from training.made_up import made_up_lectures

        return made_up_lectures(split)
    raise RefusedInput(f"There is no data source {source!r}: give vt_ssum, meetings or sample.")

import numpy as np
import pyarrow as pa
import pytest
import torch

from core.errors import WeightsError
from core.timeline import build_text_timeline
from models import encoders, learned, pretrained, registering, registry
from models.borders import BITS, Borders, to_bytes
from models.highlight import HighlightConfig, HighlightNetwork
from tests.tiny_encoder import write_tiny_encoder

ENCODER = {"name": "all-minilm-l6-v2", "file": "model.safetensors", "sha256": "as the encoder has it"}
TEXTS = ["The tide is the rise of the sea.", "", "So.", "It follows the moon."]


def fresh(**sizes):
    torch.manual_seed(0)
    network = HighlightNetwork(HighlightConfig(word_size=8, reader_size=16, size=24, layers=1, **sizes))
    torch.nn.init.normal_(network.out.weight)
    network.rarity.copy_(torch.rand(network.config.vocabulary))
    return network.eval()


def with_slides(texts, slides):
    table = build_text_timeline(texts)
    place = table.schema.get_field_index("slide")
    return table.set_column(place, table.schema.field(place), pa.array(slides, pa.int32()))


@pytest.fixture(scope="module", params=[384, 0], ids=["with sentence vectors", "words only"])
def model(request, tmp_path_factory):
    files = learned.files_of(fresh(vector_size=request.param))
    entry = ENCODER | {"sha256": pretrained.resolve("all-minilm-l6-v2").sha256}
    manifest = {"kind": "highlight", "description": "A test.", "licence": "Apache-2.0", "encoder": entry}
    return learned.load(
        registering.register(str(tmp_path_factory.mktemp("registry")), "trial", files, manifest), threads=1
    )


def test_every_row_is_scored_and_one_without_text_like_the_one_before(model):
    scores = model.predict(build_text_timeline(TEXTS))
    assert scores.boundary is not None
    for values in (scores.highlight, scores.boundary, *scores.parts.values()):
        assert values.shape == (4,)
        assert ((values >= 0) & (values <= 1)).all()
        assert values[1] == values[0]


def test_slides_count_and_topic_ends_are_asked_for_in_any_case(model):
    hidden, shown = model.predict(build_text_timeline(TEXTS)), model.predict(with_slides(TEXTS, [0, 0, None, 1]))
    assert not np.allclose(hidden.highlight, shown.highlight)
    assert np.allclose(hidden.parts["slide"], 0.5)
    assert np.allclose(hidden.highlight, shown.parts["words"])
    assert hidden.boundary is not None
    assert np.array_equal(hidden.boundary, shown.boundary)


def test_the_same_text_gives_the_same_scores_and_tells_of_its_progress(model):
    told = []
    first = model.predict(build_text_timeline(TEXTS), on_progress=told.append)
    assert np.array_equal(first.highlight, model.predict(build_text_timeline(TEXTS)).highlight)
    assert told[-1] == 1.0


def test_a_version_with_a_prior_and_borders_asks_them_too(tmp_path):
    files = learned.files_of(fresh(vector_size=0))
    weights = np.zeros(1 << BITS, np.int8)
    files[learned.BORDERS] = to_bytes(Borders(weights, 1.0, 3.0, (1012,), (1.0, 0.0, 0.0)))
    baseline = registry.resolve("baseline@1")
    manifest = {
        "kind": "highlight", "description": "A test.", "licence": "Apache-2.0",
        "encoder": ENCODER | {"sha256": pretrained.resolve("all-minilm-l6-v2").sha256},
        "prior": {"name": "baseline", "version": "1", "sha256": baseline.sha256, "weight": 1e6},
    }  # fmt: skip
    model = learned.load(registering.register(str(tmp_path), "trial", files, manifest), threads=1)
    said = ["The tide is the rise of the sea.", "So.", "It follows the moon.", "OK."]
    scores, alone = (asked.predict(build_text_timeline(said)) for asked in (model, registry.load(baseline, threads=1)))
    assert np.array_equal(np.argsort(scores.highlight), np.argsort(alone.highlight))
    assert np.array_equal(scores.parts["baseline"], alone.highlight)
    assert scores.boundary == pytest.approx([1 / (1 + np.exp(-3.0))] * 4)
    manifest["prior"] = manifest["prior"] | {"sha256": "0" * 64}
    with pytest.raises(WeightsError, match="not the one"):
        learned.load(registering.register(str(tmp_path), "trial", files, manifest), threads=1)


def test_where_nobody_speaks_the_baseline_answers(model):
    assert len(model.predict(build_text_timeline(["", "", ""])).highlight) == 3


def test_stored_weights_give_the_scores_of_the_network_they_came_from():
    network = fresh(vector_size=0)
    again = learned.network_of(learned.files_of(network))
    for name, value in network.state_dict().items():
        assert torch.allclose(value, again.state_dict()[name], atol=2e-3), name


def test_files_that_are_no_network_are_refused_with_the_reason(tmp_path):
    manifest = {"kind": "highlight", "description": "A test.", "licence": "Apache-2.0", "encoder": ENCODER}
    ref = registering.register(str(tmp_path), "broken", {"config.json": b'{"sise": 3}'}, manifest)
    with pytest.raises(WeightsError, match="broken@1: its files are not ones"):
        learned.load(ref, threads=1)


@pytest.mark.parametrize("change", ["the manifest", "the folder"])
def test_a_version_whose_encoder_is_another_now_is_refused(change, tmp_path):
    folder = write_tiny_encoder(tmp_path / "tiny")
    found = encoders.resolve(str(folder))
    entry = {"name": found.name, "file": "model.safetensors", "sha256": found.sha256}
    if change == "the manifest":
        entry["sha256"] = "0" * 64
    manifest = {"kind": "highlight", "description": "A test.", "licence": "Apache-2.0", "encoder": entry}
    files = learned.files_of(fresh(vector_size=32))
    ref = registering.register(str(tmp_path / "registry"), "trial", files, manifest)
    if change == "the folder":
        assert len(learned.load(ref, threads=1).predict(build_text_timeline(TEXTS)).highlight) == 4
        write_tiny_encoder(folder, seed=1)
    with pytest.raises(WeightsError, match="Loading trial@1: it was trained with a text encoder"):
        learned.load(ref, threads=1)


def test_gaps_between_slides_belong_to_the_slide_before():
    assert learned.slide_numbers(with_slides(["a"] * 5, [None, 3, None, 4, None])).tolist() == [-1, 3, 3, 4, 4]  # pyright: ignore[reportOptionalMemberAccess]
    assert learned.slide_numbers(build_text_timeline(["a"])) is None

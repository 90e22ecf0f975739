"""Training as a person starts it: `python -m training fit`, stopped, resumed, in one process and in two."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

ROOT = Path(__file__).parents[2]
STEPS = 40


def command(folder, *more):
    text = (ROOT / "training/configs/debug.yaml").read_text().replace("runs/debug", str(folder / "run"))
    (folder / "config.yaml").write_text(text)
    sizes = ("--trainer.max_steps", str(STEPS), "--data.cache", str(folder / "cache"), "--data.threads", "1")
    return [sys.executable, "-W", "ignore", "-m", "training", "fit", "--config", folder / "config.yaml", *sizes, *more]


def fit(folder, *more):
    ran = subprocess.run(command(folder, *more), cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran


def weights(folder, steps=STEPS):
    found = torch.load(folder / "run/checkpoints/last.ckpt", map_location="cpu", weights_only=True)
    assert found["global_step"] == steps
    return found["state_dict"]


def figures(folder):
    table = pd.concat([pd.read_csv(path) for path in sorted((folder / "run/csv").glob("*/metrics.csv"))])
    return table[["step", "dev/top3_f1", "dev/segmentation_accuracy"]].dropna().set_index("step")


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A run from beginning to end, registered."""
    folder = tmp_path_factory.mktemp("straight")
    ran = fit(folder, "--name", "trial", "--registry", str(folder / "registry"), "--border_passes", "10")
    return folder, ran.stdout


def test_it_learns_what_there_is_to_learn(straight):
    found = figures(straight[0])
    assert found["dev/segmentation_accuracy"].iloc[-1] > 95
    assert found["dev/top3_f1"].iloc[-1] > found["dev/top3_f1"].iloc[0] or found["dev/top3_f1"].iloc[0] > 60
    assert (straight[0] / "run/curves.png").stat().st_size > 5_000
    assert list((straight[0] / "run/tensorboard").rglob("events.*"))


def test_the_best_checkpoint_is_a_version_that_flows_can_load(straight):
    from core.timeline import build_text_timeline
    from models import registry

    folder, said = straight
    assert "registered trial@1" in said
    ref = registry.resolve("trial", (str(folder / "registry"),))
    said = ["The tide means the moon.", "This was last summer."]
    model = registry.load(ref, threads=1)
    scores = model.predict(build_text_timeline(said))
    assert scores.highlight[0] > 0.9 > 0.1 > scores.highlight[1]
    closing = ["And with that we leave it.", "Now the next slide shows something else.", *said]
    assert model.predict(build_text_timeline(closing)).boundary.argmax() == 0


def test_a_killed_run_goes_on_and_ends_as_if_it_had_never_been_stopped(straight, tmp_path):
    process = subprocess.Popen(command(tmp_path), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 200
    while not (tmp_path / "run/checkpoints/last.ckpt").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    fit(tmp_path)
    expected = weights(straight[0])
    for name, value in weights(tmp_path).items():
        assert torch.equal(value, expected[name]), name


def test_two_processes_learn_what_one_does(tmp_path):
    steps = 20
    still = ("--model.dropout", "0", "--model.word_dropout", "0", "--trainer.max_steps", str(steps))
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, more in ((one, ()), (two, ("--trainer.devices", "2", "--trainer.strategy", "ddp"))):
        folder.mkdir()
        fit(folder, *still, *more)
    expected, found = weights(one, steps), weights(two, steps)
    worst = max(float((found[name] - value).abs().max()) for name, value in expected.items())
    assert worst < 2e-3
    pd.testing.assert_frame_equal(figures(one), figures(two), atol=1.5, check_exact=False)


def test_bad_data_is_refused_in_one_line(tmp_path):
    ran = subprocess.run(
        command(tmp_path, "--data.source", "vt_ssum", "--data.path", str(tmp_path / "nothing")),
        cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "there is no folder" in ran.stderr
    assert "Traceback" not in ran.stderr

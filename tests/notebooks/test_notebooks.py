"""The notebooks run from top to bottom on what a clone holds, and show what they say."""

import ast
import json
import os
import re
import shlex
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.font_manager  # noqa: F401  builds its cache where there is none yet: a notebook would show that
import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
EXPLORE, TRAIN, INSPECT = "01_explore_a_recording", "02_train_and_compare", "03_inspect_errors"
NAMES = (EXPLORE, TRAIN, INSPECT)
MOST_BYTES = 600_000
"""All notebooks together, with the figures in them: they are read over a network."""

CLAIMS = {
    EXPLORE: {
        "every word of the captions is in the timeline": (
            "' '.join(cue.text for cue in cues).split() == ' '.join(rows['text']).split()"
        ),
        "the sound is measured for every sentence": "rows['level_dbfs'].between(-60, 0).all()",
        "every sentence has its slide": "rows['slide'].notna().all() and rows['slide'].nunique() > 5",
        "long pauses are silent": (
            "(rows.query('pause_after_s > 1.5').eval('silence_after_s / pause_after_s') > 0.8).all()"
        ),
        "every model scores every sentence": "all(len(found.highlight) == len(rows) for found in scores.values())",
        "no other sentence beats the ten best": "best['score'].min() >= rows['score'].drop(best.index).max()",
        "as many clips are chosen as are asked for": "len(chosen.highlights) == most_clips",
        "clips have admissible lengths": (
            "all(shortest_s <= pick.end_s - pick.start_s <= longest_s for pick in chosen.highlights)"
        ),
        "clips do not overlap": "all(a.end_s <= b.start_s for a, b in zip(chosen.highlights, chosen.highlights[1:]))",
        "the picks are among the windows drawn, with the values shown": (
            "np.allclose([values[k] for k in picked], [pick.score for pick in chosen.highlights])"
        ),
        "every runner-up says why it lost": "len(chosen.runners_up) > 3 and all(o.lost for o in chosen.runners_up)",
    },
    TRAIN: {
        "the splits share no lecture": "not find_duplicates(lectures)",
        "the loss of both models falls": (
            "all(c['train/loss'].dropna().iloc[-3:].mean() < 0.7 * c['train/loss'].iloc[0] for c in curves.values())"
        ),
        "the curves go on to the last step": "all(curve['step'].max() == 79 for curve in curves.values())",
        "both versions are in the registry, one after the other": "registry.versions(root, 'trial') == ['1', '2']",
        "what was trained finds more than the heuristic": (
            "figures.loc['top3_f1', ['few', 'all']].min() > figures.loc['top3_f1', 'baseline']"
        ),
        "slide ends were learned": "figures.loc['segmentation_accuracy', 'all'] > never + 5",
        "models are compared on the same slides": (
            "all(t[['recording', 'clip']].equals(clips['all'][['recording', 'clip']]) for t in clips.values())"
        ),
        "the differences are those of the figures": (
            "all(np.isclose(one.difference, figures.loc['top3_f1', b] - figures.loc['top3_f1', a])"
            " for (a, b), one in found.items())"
        ),
        "the heuristic loses by more than chance": "found['baseline', 'all'].low > 0",
        "the champion is what it was after the rollback": (
            "registry.resolve('champion', here) == registry.resolve('champion')"
        ),
    },
    INSPECT: {
        "each row has its label and what both models say": "said.notna().all(axis=None) and len(judged) == len(said)",
        "ranks count from 1 on each slide": "(judged.groupby(['lecture', 'slide'])['trial rank'].min() == 1).all()",
        "what is missed stands below the best three": "(judged.loc[judged['trial missed'], 'trial rank'] > 3).all()",
        "the worst slides come first": "worst['wasted by trial'].iloc[0] == slides['wasted by trial'].max() > 0",
        "no slide wastes more than three places": "slides.filter(like='wasted').max(axis=None) <= 3",
        "what follows the rule is found": "highlights.loc[~highlights['turned'], 'trial missed'].mean() < 0.1",
        "labels that were turned are missed": "highlights.loc[highlights['turned'], 'trial missed'].mean() > 0.5",
        "the trained model is calibrated": (
            "expected_calibration_error(judged['trial'].to_numpy(), judged['label'].to_numpy()) < 0.1"
        ),
        "every wrong topic end is listed": "len(wrong) == ((said['trial end'] >= 0.5) != said['last']).sum() > 0",
    },
}
"""What is true of a notebook's variables when it has run."""


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is not the project's."""
    return tmp_path_factory.mktemp("outside")


@cache
def run(name: str, outside: Path) -> tuple[Any, dict[str, bool]]:
    """The notebook with the results of running it now, and which claims hold."""
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    asked = ", ".join(f"{claim!r}: bool({expression})" for claim, expression in CLAIMS[name].items())
    notebook.cells.append(nbformat.v4.new_code_cell(f"import json\nprint(json.dumps({{{asked}}}))"))
    env = {key: value for key, value in os.environ.items() if key != "MPLBACKEND" and not key.startswith("WINNOW_")} | {
        "WINNOW_HOME": str(outside / name / "home"),
        "IPYTHONDIR": str(outside / "ipython"),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    (outside / name).mkdir()
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": outside / name}}
    )
    client.execute(env=env)
    answers = notebook.cells.pop()
    return notebook, json.loads(answers.outputs[0].text)


def stored(name: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds(cell: Any) -> list[str]:
    """What a cell shows: a stream's name, or the kinds of a figure or table."""
    return [output.get("name") or "+".join(sorted(output.get("data", {"error": 0}))) for output in cell.outputs]


def test_every_notebook_is_tested():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_without_an_error_or_a_warning(name, outside):
    notebook, _ = run(name, outside)
    troubled = {cell.id: cell.outputs for cell in code_cells(notebook) if {"error", "stderr"} & {*kinds(cell)}}
    assert not troubled


@pytest.mark.parametrize(
    ("name", "claim"), [pytest.param(name, claim, id=f"{name}: {claim}") for name in NAMES for claim in CLAIMS[name]]
)
def test_what_it_shows_is_so(name, claim, outside):
    assert run(name, outside)[1][claim], CLAIMS[name][claim]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_what_running_it_shows(name, outside):
    before, now = code_cells(stored(name)), code_cells(run(name, outside)[0])
    assert [cell.execution_count for cell in before] == list(range(1, len(before) + 1)), "run it from top to bottom"
    assert {cell.id: kinds(cell) for cell in before} == {cell.id: kinds(cell) for cell in now}


@pytest.mark.parametrize("name", NAMES)
def test_it_writes_nothing_beside_itself(name, outside):
    run(name, outside)
    assert {path.name for path in (outside / name).iterdir()} <= {"home"}


@pytest.mark.parametrize("name", NAMES)
def test_it_knows_no_path_of_one_machine(name):
    notebook = stored(name)
    for output in (output for cell in code_cells(notebook) for output in cell.outputs):
        output.get("data", {}).pop("image/png", None)
    text = nbformat.writes(notebook)
    assert not [place for place in (str(ROOT), str(Path.home()), tempfile.gettempdir()) if f"{place}/" in text]


@pytest.mark.parametrize("name", NAMES)
def test_it_defines_nothing(name):
    source = "\n".join(cell.source for cell in code_cells(stored(name)))
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    assert not [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, defined)]


@pytest.mark.parametrize("name", [*NAMES, "README"])
def test_what_its_text_names_is_there(name):
    from flows.cli import build_parser

    prose = [cell.source for cell in stored(name).cells if cell.cell_type == "markdown"] if name in NAMES else []
    text = "\n".join(prose) or (FOLDER / "README.md").read_text()
    links = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    files = [FOLDER / target for target in links] + [ROOT / path for path in re.findall(r"training/[\w/]+\.\w+", text)]
    assert files
    assert not [path for path in files if not path.exists()]
    commands = [shlex.split(line)[1:] for line in re.findall(r"(?:^|`)(winnow [^`\n]+)", text, re.MULTILINE)]
    parsed = [build_parser().parse_args(command).command for command in commands]
    assert len(parsed) == len(commands)


def test_they_are_small_enough_to_be_read_over_a_network():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.ipynb")) < MOST_BYTES

"""Fixtures shared by the tests of core."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.report_samples import Recording, forty_minutes
from tests.s3 import own_bucket


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The URI of a bucket of the module's own."""
    with own_bucket("winnow") as uri:
        yield uri


@pytest.fixture(params=["folder", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store, in a folder and in a bucket."""
    return (
        str(tmp_path / "store") if request.param == "folder" else f"{request.getfixturevalue('bucket')}/{tmp_path.name}"
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder that is not there yet."""
    return tmp_path / "home"


@pytest.fixture
def lecture() -> Recording:
    """A recording of forty minutes with everything that a report can show."""
    return forty_minutes()

"""Where the reports of nightlies are kept, in a folder and in a bucket."""

from collections.abc import Iterator

import pytest

from core.errors import StoreError
from core.nightly_files import last_report, write_report
from tests.core.nightly_samples import night, whole_night
from tests.s3 import own_bucket


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with own_bucket("nightlies") as uri:
        yield uri


@pytest.fixture(params=["local", "bucket"])
def store_uri(request, tmp_path) -> str:
    return str(tmp_path / "store") if request.param == "local" else f"{request.getfixturevalue('bucket')}/store"


def test_of_the_reports_kept_the_last_one_is_found(store_uri):
    assert last_report(store_uri) is None
    for began in ("2026-11-20T23:30:00+00:00", "2026-11-21T23:30:00+02:00", "2026-11-21T20:00:00+00:00"):
        report = whole_night().model_copy(update={"began": began, "run_id": f"of/{began}"})
        where = write_report(store_uri, report, html="<p>", markdown="|")
        assert where.endswith(".json")
    last = last_report(store_uri)
    assert last is not None
    assert last.run_id == "of/2026-11-21T23:30:00+02:00"
    assert last.totals == whole_night().totals


def test_half_a_report_and_strangers_files_are_passed_over(tmp_path):
    write_report(str(tmp_path), whole_night(), html="", markdown="")
    (tmp_path / "nightlies/2026-11-22/233000-cut").mkdir(parents=True)
    (tmp_path / "nightlies/2026-11-22/233000-cut/index.html").write_text("")
    (tmp_path / "nightlies/2026-11-23").write_text("a file")
    (tmp_path / "nightlies/2026-11-22/000000-odd").mkdir()
    (tmp_path / "nightlies/2026-11-22/000000-odd/nightly.json").write_text("{")
    assert last_report(str(tmp_path)) == whole_night()


def test_a_store_that_cannot_be_written_is_a_store_error(tmp_path):
    (tmp_path / "nightlies").write_text("a file")
    with pytest.raises(StoreError, match="nightlies.*index.html"):
        write_report(str(tmp_path), night(), html="", markdown="")

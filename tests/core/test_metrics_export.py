"""Metrics as a collector reads them."""

import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as prometheus_families

from core.errors import BadSetting
from core.metrics import METRICS, Readings, gauge, merged, nightly_gauges, observed
from core.metrics_export import openmetrics_text, prometheus_text, serving, write_textfile
from core.metrics_live import live
from core.nightly_report import RecordingEnd
from tests.core.nightly_samples import done, whole_night

HARD = 'a "quoted" \\back\nslash ünï'


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Readings:
    odd = RecordingEnd(name="x", status="failed", error=HARD, stage="")
    ends = [*whole_night().recordings, done(), odd]
    queue = {"pool": "winnow-cpu", "queue": "urgent"}
    depths = (
        gauge("winnow_prefect_up", 1),
        gauge("winnow_queue_depth", 2, {**queue, "state": "late"}),
        gauge("winnow_queue_depth", 0, {**queue, "state": "pending"}),
        gauge("winnow_queue_running", 1, queue),
    )
    home = tmp_path_factory.mktemp("home")
    return merged(*map(observed, ends), nightly_gauges(whole_night()), live(home), *depths)


def test_the_openmetrics_text_is_strictly_right_and_whole(readings):
    text = openmetrics_text(readings)
    families = {family.name: family for family in openmetrics_families(text)}
    assert text.endswith("# EOF\n")
    assert families.keys() >= METRICS.keys() - {"winnow_stage_kept"}
    for name, family in families.items():
        about = METRICS[name]
        assert (family.type, family.documentation, family.unit) == (about.kind, about.help, about.unit)


def test_buckets_count_what_is_at_or_below_them(readings):
    families = {family.name: family for family in openmetrics_families(openmetrics_text(readings))}
    below = {
        sample.labels["le"]: sample.value
        for sample in families["winnow_stage_seconds"].samples
        if sample.name.endswith("_bucket") and sample.labels["stage"] == "transcript"
    }
    assert (below["30.0"], below["60.0"], below["+Inf"]) == (0, 2, 2)


@pytest.mark.parametrize(
    ("text", "parse"),
    [(openmetrics_text, openmetrics_families), (prometheus_text, prometheus_families)],
    ids=["OpenMetrics", "Prometheus"],
)
def test_label_values_survive_whatever_they_hold(readings, text, parse):
    samples = [sample for family in parse(text(readings)) for sample in family.samples]
    assert HARD in {s.labels["error"] for s in samples if s.name == "winnow_failures_total"}


def test_nothing_counted_yet_is_an_empty_exposition():
    assert openmetrics_text(Readings()) == "# EOF\n"
    assert list(prometheus_families(prometheus_text(Readings()))) == []


def test_the_textfile_holds_what_node_exporter_reads(tmp_path, readings):
    write_textfile(tmp_path / "winnow.prom", readings)
    families = {family.name for family in prometheus_families((tmp_path / "winnow.prom").read_text())}
    assert {"winnow_recordings", "winnow_stage_seconds"} <= families
    assert [path.name for path in tmp_path.iterdir()] == ["winnow.prom"]


def test_a_textfile_that_node_exporter_would_pass_over_is_refused(tmp_path, readings):
    with pytest.raises(BadSetting, match=r"\.prom"):
        write_textfile(tmp_path / "winnow.txt", readings)


def test_the_endpoint_serves_what_is_true_at_the_time_in_the_form_asked_for():
    now = [observed(done())]
    with serving(lambda: merged(*now)) as url:
        request = urllib.request.Request(url, headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
            assert b"winnow_clips_total 4.0\n" in (body := answer.read())
            assert body.endswith(b"# EOF\n")
        now.append(observed(done()))
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
            assert b"winnow_clips_total 8.0\n" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url.replace("/metrics", "/"), timeout=10)


def test_a_port_that_is_taken_is_a_setting_to_change():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadSetting, match=str(port)), serving(Readings, port=port):
            pass

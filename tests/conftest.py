"""Fixtures shared by all tests."""

import pytest


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory):
    """A throw-away Prefect API. Only tests that run a flow ask for it."""
    from prefect.settings import PREFECT_RESULTS_LOCAL_STORAGE_PATH, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    results = {PREFECT_RESULTS_LOCAL_STORAGE_PATH: tmp_path_factory.mktemp("results")}
    with prefect_test_harness(server_startup_timeout=120), temporary_settings(results):
        yield


@pytest.fixture
def winnow_home(tmp_path, monkeypatch):
    """An empty home folder for one test."""
    monkeypatch.setenv("WINNOW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"

"""Fixtures shared by the tests of core."""

import pytest

from tests.core.report_samples import Recording, forty_minutes


@pytest.fixture
def lecture() -> Recording:
    """A recording of forty minutes with everything that a report can show."""
    return forty_minutes()

import pytest

from flows.outcomes import Outcome, exit_code


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["done", "done"], 0),
        (["done", "skipped"], 0),
        (["done", "rejected"], 2),
        (["skipped"], 2),
        (["done", "rejected", "failed"], 1),
    ],
)
def test_exit_code(statuses, code):
    assert exit_code([Outcome("a", status) for status in statuses]) == code

"""What is shown while Terraform runs."""

import pytest

from temporal_dsql_deploy.cli.progress import in_words
from temporal_dsql_deploy.terraform.messages import Event


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (Event("planned_change", "aws_vpc.x: Plan to create\nmore"), "aws_vpc.x: Plan to create"),
        (Event("version", "Terraform 1.11.4"), ""),
        (Event("diagnostic", "Warning: x"), ""),
        (Event("test_file", "known-values/0000.tftest.json... in progress"), "planning without"),
        (Event("test_run", '"plan"... pass'), "planning without"),
    ],
)
def test_only_what_says_something_is_shown(event: Event, shown: str) -> None:
    assert in_words(event).startswith(shown)
    assert bool(in_words(event)) == bool(shown)
    assert "tftest" not in in_words(event)

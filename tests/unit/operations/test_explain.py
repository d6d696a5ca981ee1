"""What `explain` says of an error, beside what the error says itself."""

import pytest

from temporal_dsql_deploy.errors import DeployError, MissingError, RolledBack
from temporal_dsql_deploy.operations.explain import error_codes, explain, in_words

NEEDS_MORE = ("rolled-back", "locked", "state-locked", "wrong-account", "stopped-halfway")


@pytest.mark.parametrize("code", NEEDS_MORE)
def test_what_stops_a_deployment_says_what_to_do(code: str) -> None:
    found = explain(code)
    assert found.exit_code == error_codes()[code].exit_code
    assert found.fix
    assert found.fix not in found.text


def test_the_first_paragraph_says_when_and_the_rest_what_to_do() -> None:
    when, fix = in_words(RolledBack)
    assert when.endswith("what ran before runs again.")
    assert "dsql-deploy up ENV" in fix


def test_an_error_that_says_it_all_has_no_more() -> None:
    assert in_words(MissingError) == ("Something that the verb needs is not there.", "")


@pytest.mark.parametrize("kind", error_codes().values(), ids=lambda kind: kind.code)
def test_every_error_says_in_one_line_when_it_comes(kind: type[DeployError]) -> None:
    when, _ = in_words(kind)
    assert when.endswith(".")
    assert "|" not in when

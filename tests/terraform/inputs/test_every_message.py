"""No validation without a case: every `error_message` is expected by one, in its own directory."""

from tests.terraform.inputs import messages
from tests.terraform.inputs.test_inputs import TABLES

_TWO_APPLIES = "test_what_cannot_change.py: it takes two applies"
ELSEWHERE = {
    "history_shards is … since the first apply": _TWO_APPLIES,
    "kms_key_arn cannot change after the first apply": _TWO_APPLIES,
    "project_name is … since the first apply": _TWO_APPLIES,
}
"""Messages that no table can have, and what tests them."""


def test_every_message_is_expected_by_a_case() -> None:
    expected = {
        table.directory: [case.because for case in table.cases if case.because] for table in TABLES
    }
    missing = [
        str(said)
        for directory in messages.directories()
        for said in messages.of(directory)
        if not any(said.text.startswith(begin) for begin in ELSEWHERE)
        and not any(
            messages.says(said.text, because)
            for because in expected.get(str(directory.relative_to(messages.TERRAFORM)), [])
        )
    ]
    assert missing == []


def test_an_expectation_names_one_message_of_its_directory() -> None:
    ambiguous = {
        f"{table.directory}: {because}": found
        for table in TABLES
        for because in {case.because for case in table.cases if case.because}
        if len(found := _distinct(table.directory, because)) > 1
    }
    assert ambiguous == {}


def _distinct(directory: str, because: str) -> list[str]:
    said = messages.of(messages.TERRAFORM / directory)
    return [str(one) for one in said if messages.says(one.text, because)]

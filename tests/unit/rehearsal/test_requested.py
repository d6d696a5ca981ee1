"""The faults that `rehearse --fault` takes, as they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import InvalidSetting, UnknownChoice
from temporal_dsql_deploy.rehearsal import requested
from temporal_dsql_deploy.rehearsal.faults import Faults
from temporal_dsql_deploy.rehearsal.requested import KINDS, Requested, Where

_ARGUMENTS = st.text(st.characters(categories=["L", "N"], include_characters="-/=."), min_size=1)


@given(name=st.sampled_from(sorted(KINDS)), argument=_ARGUMENTS, number=st.integers(1, 99))
def test_what_is_written_is_read_again(name: str, argument: str, number: int) -> None:
    kind = KINDS[name]
    given_ = {"": "", "CALLS": str(number)}.get(kind.argument, argument)
    written = Requested(name, given_)
    assert requested.parse([str(written)]) == [written]


@given(word=st.text().filter(lambda word: word.partition("=")[0] not in {*KINDS, "none"}))
def test_whatever_else_is_written_is_a_mistake_of_its_user(word: str) -> None:
    with pytest.raises(UnknownChoice) as refused:
        requested.parse([word])
    assert refused.value.exit_code == 2


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UnknownChoice) as refused:
        requested.parse(["task-kiled=history"])
    for spelling in requested.spellings():
        assert spelling in str(refused.value.cause)
    assert "task-killed" in str(refused.value.fix)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("task-killed", "task-killed=SERVICE"),
        ("zone-lost=", "zone-lost=ZONE"),
        ("database-away=now", "takes no argument"),
        ("api-throttled=often", "no number of calls"),
        ("api-throttled=0", "no number of calls"),
    ],
)
def test_a_wrong_argument_says_why(word: str, why: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        requested.parse([word])
    assert why in str(refused.value.cause)


def test_none_goes_alone() -> None:
    assert requested.parse(["none"]) == []
    with pytest.raises(InvalidSetting):
        requested.parse(["none", "instance-lost"])


def test_what_takes_tasks_takes_a_rehearsal_that_stands() -> None:
    with pytest.raises(InvalidSetting) as refused:
        requested.check_from_nothing(Requested("task-killed", "history"))
    assert "--keep" in str(refused.value.cause)
    requested.check_from_nothing(Requested("image-missing", "runtime"))


def test_a_fault_that_hits_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Faults, "kill_tasks", lambda *_: [])
    where = Where(Faults("http://127.0.0.1:1"), lambda: None)
    with pytest.raises(InvalidSetting) as refused:
        requested.do(Requested("task-killed", "history"), where)
    assert "hit nothing" in refused.value.message

"""Sets of workflow numbers are sets."""

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.bench.numbers import Numbers

SETS = st.sets(st.integers(0, 5000))


def _of(numbers: set[int]) -> Numbers:
    made = Numbers()
    for number in numbers:
        made.add(number)
    return made


@given(a=SETS, b=SETS, number=st.integers(0, 6000))
def test_they_do_what_sets_do(a: set[int], b: set[int], number: int) -> None:
    ours, theirs = _of(a), _of(b)
    assert len(ours) == len(a)
    assert (number in ours) == (number in a)
    assert ours.missing_from(theirs) == len(a - b)
    assert len(ours | theirs) == len(a | b)
    assert Numbers(ours.encode()).missing_from(ours) == 0
    assert len(Numbers(ours.encode())) == len(a)


def test_an_hour_at_the_highest_rate_is_small() -> None:
    whole = Numbers()
    for number in range(0, 3_600_000, 7):
        whole.add(number)
    assert len(whole.encode()) < 1_000_000

"""Which rows may go: never one whose owner may live."""

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.operations.membership.clean import decide
from temporal_dsql_deploy.operations.membership.result import Look, Port
from tests.unit.membership import world
from tests.unit.membership.world import ROLES, address, gone, healthy, killed, row, seen, with_port


def chosen(look: Look) -> set[str]:
    return {fate.host_id for fate in decide(look) if not fate.kept_because}


def reason(look: Look, host_id: str) -> str:
    return next(fate.kept_because for fate in decide(look) if fate.host_id == host_id)


def test_a_healthy_cluster_keeps_all_rows() -> None:
    assert chosen(healthy()) == set()


def test_the_row_of_a_dead_process_goes_after_a_minute_and_only_it() -> None:
    assert chosen(killed(healthy(), "history", age=60)) == set()
    assert reason(killed(healthy(), "history", age=60), "history-1") == (
        "its last heartbeat is not 60 s old"
    )
    assert chosen(killed(healthy(), "history", age=60.1)) == {"history-1"}


def test_a_process_that_is_known_to_run_keeps_its_row() -> None:
    look = killed(healthy(), "history", age=90, known=True)
    assert reason(look, "history-1") == "a process runs that has its address"


def test_who_listens_keeps_its_row() -> None:
    look = killed(healthy(), "history", age=90)
    mute = Port(address("history"), listens=True, seen=None, error="no answer within 2 s")
    assert reason(with_port(look, mute), "history-1") == "something listens at its address"


def test_who_is_held_reachable_keeps_its_row() -> None:
    look = killed(healthy(), "history", age=90)
    everybody = [seen(role) for role in ROLES]
    holds = with_port(look, Port(address("worker"), listens=True, seen=everybody))
    assert reason(holds, "history-1") == f"{address('worker')} holds it reachable"


def test_a_member_that_does_not_show_its_ring_keeps_all_rows() -> None:
    look = killed(healthy(), "history", age=90)
    hidden = with_port(look, gone(address("worker")))
    assert chosen(hidden) == set()
    assert reason(hidden, "history-1") == (
        f"not proven: {address('worker')} may be alive and did not show its ring"
    )


def test_a_port_that_was_not_tried_proves_nothing() -> None:
    look = killed(healthy(), "history", age=90)
    untried = [port for port in look.ports if port.address != address("history")]
    assert chosen(replace(look, ports=untried)) == set()


def test_with_everything_stopped_all_old_rows_go() -> None:
    rows = [row(role, age=61) for role in ROLES]
    stopped = replace(
        healthy(), rows=rows, ports=[gone(address(role)) for role in ROLES], running=[]
    )
    assert chosen(stopped) == {one.host_id for one in rows}


@dataclass(frozen=True)
class Process:
    """A process as it is, whatever is seen of it."""

    role: str
    number: int
    alive: bool
    age: float
    """Of its heartbeat; an old one of a living process is that of one without the database."""
    answers: bool
    """Whether a living one shows its ring in time."""
    known: bool
    """Whether the platform knows that it runs."""

    @property
    def host_id(self) -> str:
        return f"{self.role}-{self.number}"

    @property
    def address(self) -> str:
        return address(self.role, self.number)


@st.composite
def processes(draw: st.DrawFn) -> list[Process]:
    count = draw(st.integers(1, 8))
    return [
        Process(
            role=draw(st.sampled_from(list(ROLES))),
            number=number,
            alive=draw(st.booleans()),
            age=draw(st.floats(-10, 200)),
            answers=draw(st.booleans()),
            known=draw(st.booleans()),
        )
        for number in range(1, count + 1)
    ]


def looked_at(cluster: list[Process], draw: st.DataObject) -> Look:
    """What may be seen of a cluster: the dead do not listen, and views differ."""
    ports = []
    for one in cluster:
        view = None
        if one.alive and one.answers:
            statuses = ("alive", "suspect", "faulty")
            view = [
                seen(other.role, other.number, draw.draw(st.sampled_from(statuses)))
                for other in cluster
                if other == one or draw.draw(st.booleans())
            ]
        ports.append(Port(one.address, listens=one.alive, seen=view))
    return replace(
        healthy(),
        rows=[row(one.role, one.number, one.age) for one in cluster],
        ports=ports,
        running=[world.member(one.role, one.number) for one in cluster if one.alive and one.known],
    )


@given(cluster=processes(), draw=st.data())
def test_no_row_of_a_living_process_goes(cluster: list[Process], draw: st.DataObject) -> None:
    look = looked_at(cluster, draw)
    assert not chosen(look) & {one.host_id for one in cluster if one.alive}


@given(cluster=processes(), draw=st.data())
def test_a_living_process_that_is_not_reached_from_here_keeps_its_row(
    cluster: list[Process], draw: st.DataObject
) -> None:
    """As behind a security group: what is seen of it is that it runs, or its row, or the ring."""
    look = looked_at(cluster, draw)
    hidden = [one for one in cluster if one.alive and (one.known or one.age <= 60)]
    for one in hidden:
        look = with_port(look, gone(one.address))
    assert not chosen(look) & {one.host_id for one in hidden}


@given(cluster=processes(), draw=st.data())
def test_every_row_of_a_dead_process_goes_where_all_others_are_seen(
    cluster: list[Process], draw: st.DataObject
) -> None:
    living = [replace(one, answers=True, age=5.0) for one in cluster if one.alive]
    dead = [one for one in cluster if not one.alive]
    alive = [seen(one.role, one.number) for one in living]
    ports = [Port(one.address, listens=True, seen=alive) for one in living]
    look = replace(
        looked_at([*living, *dead], draw),
        ports=[*ports, *(gone(one.address) for one in dead)],
    )
    # A dead one whose heartbeat is young may be alive, and then its view is missing.
    expected = {one.host_id for one in dead} if all(one.age > 60 for one in dead) else set()
    assert chosen(look) == expected

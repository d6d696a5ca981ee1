"""Membership of real roles on PostgreSQL: what is seen, what is found wrong, which rows go."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import count
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import DatabaseUnusable
from temporal_dsql_deploy.operations.membership import clean as operation
from temporal_dsql_deploy.operations.membership import doctor
from temporal_dsql_deploy.operations.membership.look import look
from temporal_dsql_deploy.operations.membership.result import CleanResult, DoctorResult, Look
from temporal_dsql_deploy.persistence import membership
from temporal_dsql_deploy.persistence.database import Database, connect
from temporal_dsql_deploy.platforms.protocol import Member, Platform
from tests.support import postgresql, roles
from tests.support.roles import HOST, PATIENCE, TOPOLOGY, Role, own_addresses
from tests.unit.runtime.good import POSTGRESQL

pytestmark = [
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("postgresql"),
    pytest.mark.needs("loopback addresses"),
]
SHARDS = int(POSTGRESQL["TEMPORAL_HISTORY_SHARDS"])
_NETWORKS = count(0)


def silent(_: str) -> None:
    """Takes progress and says nothing."""


def until(holds: Callable[[], bool], otherwise: Callable[[], object]) -> None:
    """Wait for it; what is seen in its place is said when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.1)


class Cluster:
    """Roles that are started one by one, and what a platform says of them."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.stored = database
        self.folder = folder
        self.roles: list[Role] = []
        self.network = next(_NETWORKS)
        """Each cluster of this file has addresses of its own."""

    def start(self, name: str, number: int = 0, own: Mapping[str, str] | None = None) -> Role:
        variables = {**own_addresses(name, 8 * self.network + number), **(own or {})}
        role = Role(name, self.stored.port, self.folder, variables)
        self.roles.append(role)
        return role

    def start_all(self) -> None:
        first, *rest = TOPOLOGY.roles
        self.start(first).until_logged(TOPOLOGY.one_role_first_on_empty_database.joined_log)
        for name in rest:
            self.start(name)
        for role in self.roles:
            role.until_serving()
        until(lambda: self.doctor().ok, self.doctor)

    def role(self, name: str) -> Role:
        return next(role for role in self.roles if role.name == name)

    def end(self) -> None:
        for role in self.roles:
            role.kill()

    def members(self) -> list[Member]:
        return [role.member for role in self.roles if role.process.poll() is None]

    def database(self) -> Database:
        return self.stored

    def lock(self, *_: object) -> AbstractContextManager[None]:
        return nullcontext()

    def platform(self) -> Platform:
        """This, as far as membership needs a platform."""
        return cast("Platform", self)

    def look(self) -> Look:
        return look(self.platform(), "cluster", report=silent)

    def doctor(self) -> DoctorResult:
        return doctor.judge(self.look())

    def codes(self) -> set[str]:
        return {one.code for one in self.doctor().findings}

    def clean(self, *, dry_run: bool = False) -> CleanResult:
        return operation.clean(self.platform(), "cluster", dry_run=dry_run, report=silent)

    def execute(self, statement: str, *values: object) -> None:
        with connect(self.stored) as connection:
            connection.execute(statement.encode(), values)

    def age(self, role: Role, seconds: float) -> None:
        """Let so much time have passed since the last heartbeat of a process that writes none."""
        self.execute(
            "UPDATE cluster_membership SET last_heartbeat = last_heartbeat - %s * interval '1 s'"
            " WHERE rpc_address = %s AND rpc_port = %s",
            seconds,
            role.member.address,
            role.member.membership_port,
        )


@contextmanager
def empty_database() -> Iterator[Database]:
    with roles.database() as port:
        yield Database(host=HOST, port=port, name="temporal", user=postgresql.USER)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """No role runs yet."""
    with empty_database() as database:
        made = Cluster(database, tmp_path)
        try:
            yield made
        finally:
            made.end()


def test_a_healthy_cluster_and_then_one_without_each_role(cluster: Cluster) -> None:
    cluster.start_all()
    seen = cluster.look()
    assert len(seen.rows) == len(TOPOLOGY.roles)
    assert {one.role: one.grpc for one in seen.members().values()} == {
        role.name: role.address for role in cluster.roles
    }
    assert all(port.seen and len(port.seen) == len(TOPOLOGY.roles) for port in seen.ports)
    assert seen.shards == {cluster.role("history").address: SHARDS}
    assert cluster.codes() == set()
    assert cluster.clean().deleted == []

    for name in TOPOLOGY.roles:
        dead = cluster.role(name)
        dead.kill()
        rows = {row.host_id for row in cluster.look().rows}
        assert {"membership-silent-row"} <= cluster.codes()
        assert cluster.clean().deleted == []
        cluster.age(dead, 100)
        address = f"{dead.member.address}:{dead.member.membership_port}"
        # A dead member stays in the ring of the others for some seconds.
        until(lambda: bool(cluster.clean(dry_run=True).deleted), cluster.look)
        assert {"membership-role-missing", "membership-stale-row"} <= cluster.codes()
        would = cluster.clean(dry_run=True)
        assert [one.address for one in would.deleted] == [address]
        assert {row.host_id for row in cluster.look().rows} == rows
        done = cluster.clean()
        assert done.deleted[0].host_id == would.deleted[0].host_id
        assert {row.host_id for row in cluster.look().rows} == rows - {done.deleted[0].host_id}
        cluster.roles.remove(dead)
        cluster.start(name).until_serving()
        until(lambda: cluster.doctor().ok, cluster.doctor)


def test_a_frozen_process_keeps_its_row(cluster: Cluster) -> None:
    cluster.start_all()
    frozen = cluster.role("worker")
    frozen.process.send_signal(signal.SIGSTOP)
    cluster.age(frozen, 100)
    until(lambda: "membership-not-joined" in cluster.codes(), cluster.doctor)
    assert cluster.clean().deleted == []
    frozen.process.send_signal(signal.SIGCONT)
    until(lambda: cluster.codes() == set(), cluster.doctor)


def test_a_member_without_its_row_and_with_an_old_one(cluster: Cluster) -> None:
    cluster.start_all()
    frozen = cluster.role("matching")
    frozen.process.send_signal(signal.SIGSTOP)
    cluster.age(frozen, 100)
    frozen.process.send_signal(signal.SIGCONT)
    # It writes its next heartbeat after 10 to 15 s.
    codes = cluster.codes()
    assert codes in ({"membership-heartbeat-frozen"}, set())
    with connect(cluster.stored) as connection:
        fresh = {row.host_id for row in membership.rows(connection) if row.age < 60}
        assert membership.delete(connection, fresh) == set()


def test_two_rings_that_do_not_know_each_other(cluster: Cluster) -> None:
    cluster.start("matching").until_logged(TOPOLOGY.one_role_first_on_empty_database.joined_log)
    cluster.role("matching").until_serving()
    # Without its row, which comes again with the next heartbeat, nobody finds the first.
    cluster.execute("DELETE FROM cluster_membership")
    cluster.start("frontend").until_serving()
    until(lambda: len(cluster.look().rows) == 2, cluster.look)
    split = next(one for one in cluster.doctor().findings if one.code == "membership-split-ring")
    parts = [f"{one.address}:{one.membership_port}" for one in cluster.members()]
    assert sorted(split.evidence[0].removeprefix("parts: ").split("; ")) == sorted(parts)
    assert {"membership-role-missing", "membership-split-ring"} == cluster.codes()


def test_a_wrong_broadcast_address_is_named(cluster: Cluster) -> None:
    cluster.start("matching").until_serving()
    wrong = own_addresses("frontend", 8 * cluster.network + 1)["BIND_ON_IP"]
    cluster.start("frontend", own={"TEMPORAL_BROADCAST_ADDRESS": wrong}).until_serving()
    found = {one.code: one.evidence for one in cluster.doctor().findings}
    assert {"membership-other-address", "membership-silent-row"} <= set(found)
    assert wrong in found["membership-other-address"][0]
    assert wrong in found["membership-silent-row"][0]


def test_a_history_that_owns_nothing(cluster: Cluster) -> None:
    one_shard = {"TEMPORAL_HISTORY_SHARDS": "1"}
    cluster.start("history", own=one_shard).until_serving()
    cluster.start("history", 1, one_shard)

    def idle() -> bool:
        seen = cluster.look()
        return len(seen.members()) == 2 and "membership-no-shards" in cluster.codes()

    until(idle, cluster.look)


def test_a_database_that_does_not_answer_leaves_the_ring(cluster: Cluster) -> None:
    cluster.start("matching").until_serving()
    with socket.create_server((HOST, 0)) as gone:
        port = gone.getsockname()[1]
    cluster.stored = Database(host=HOST, port=port, name="temporal", user="nobody")
    assert {"membership-no-database", "membership-role-missing"} == cluster.codes()
    assert len(cluster.look().members()) == 1
    with pytest.raises(DatabaseUnusable, match="cannot be read"):
        cluster.clean()


def test_a_database_without_the_schema_says_so() -> None:
    with (
        postgresql.running() as port,
        pytest.raises(DatabaseUnusable, match="does not hold Temporal's schema"),
        connect(Database(HOST, port, "postgres", postgresql.USER)) as connection,
    ):
        membership.rows(connection)


@pytest.fixture(scope="module")
def stored() -> Iterator[Database]:
    with empty_database() as database:
        yield database


_INSERT = b"""
INSERT INTO cluster_membership
SELECT 0, %s, '127.0.0.1', 6934, 2, now() AT TIME ZONE 'UTC',
       (now() AT TIME ZONE 'UTC') - %s * interval '1 s', (now() AT TIME ZONE 'UTC')
"""


@given(ages=st.lists(st.floats(-100, 59) | st.floats(61, 10_000), max_size=30), data=st.data())
def test_what_is_deleted_was_asked_for_and_is_old(
    stored: Database, ages: list[float], data: st.DataObject
) -> None:
    with connect(stored) as connection:
        connection.execute("DELETE FROM cluster_membership")
        for age in ages:
            connection.execute(_INSERT, [os.urandom(16), age])
        rows = membership.rows(connection)
        assert [round(row.age) for row in sorted(rows, key=lambda row: row.age)] == [
            pytest.approx(age, abs=2) for age in sorted(ages)
        ]
        wanted = {row.host_id for row in rows if data.draw(st.booleans())}
        old = {row.host_id for row in rows if row.age > membership.PROVEN_GONE}
        assert membership.delete(connection, wanted, batch=7) == wanted & old
        left = {row.host_id for row in membership.rows(connection)}
        assert left == {row.host_id for row in rows} - (wanted & old)

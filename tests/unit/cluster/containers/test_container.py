"""Containers as the engine describes them, and the names that they have in a cluster."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.platforms.cluster.containers import container

ONE_EACH = ["database", "schema", "history", "matching", "frontend", "worker", "ui"]
NEVER = "0001-01-01T00:00:00Z"


def described(service: str, number: int = 1, **state: Any) -> dict[str, Any]:
    return {
        "Id": f"{service}-{number}-id",
        "Image": "sha256:1",
        "Config": {
            "Labels": {
                "com.docker.compose.service": service,
                "com.docker.compose.container-number": str(number),
                "com.docker.compose.config-hash": "abc",
            }
        },
        "HostConfig": {"PortBindings": None},
        "NetworkSettings": {"Networks": {"x": {"IPAddress": "10.0.0.9"}}},
        "State": {
            "Running": True,
            "Pid": 7,
            "ExitCode": 0,
            "OOMKilled": False,
            "StartedAt": "2026-11-22T11:51:32.892345678Z",
            "FinishedAt": NEVER,
            **state,
        },
    }


def ended(code: int, **more: Any) -> dict[str, Any]:
    finished = {"Running": False, "Pid": 0, "ExitCode": code}
    return described("matching", FinishedAt="2026-11-22T12:00:00Z", **finished, **more)


def test_one_of_each_has_the_names_of_a_cluster_in_the_order_of_start() -> None:
    found = container.read(described(service) for service in reversed(ONE_EACH))
    assert list(found) == [
        *("database", "history-1", "matching-1", "frontend-1", "worker-1", "ui", "schema")
    ]
    assert found["history-1"].settings["ports"]["grpc"] == 7234
    assert found["history-1"].settings["address"] == "10.0.0.9"
    assert found["history-1"].alive()


@given(st.sets(st.integers(1, 60), min_size=1, max_size=12))
def test_names_count_whatever_numbers_compose_has_given(numbers: set[int]) -> None:
    found = container.read(described("history", number) for number in numbers)
    assert list(found) == [f"history-{rank}" for rank in range(1, len(numbers) + 1)]
    assert [one.id for one in found.values()] == [
        f"history-{number}-id" for number in sorted(numbers)
    ]


@given(st.integers(0, 9))
def test_the_published_frontend_is_the_first(others: int) -> None:
    more = [described(container.UNPUBLISHED, number) for number in range(1, others + 1)]
    found = container.read([*more, described("frontend")])
    assert len(found) == others + 1
    assert found["frontend-1"].service == "frontend"
    for number, name in enumerate(found, start=1):
        assert found[name].service == container.service_of("frontend", number)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (0, "was stopped"),
        (1, "exited with code 1"),
        (127, "exited with code 127"),
        (137, "was killed by signal 9"),
        (139, "was killed by signal 11"),
        (143, "was stopped"),
    ],
)
def test_how_one_has_ended_is_told_as_of_a_process(code: int, says: str) -> None:
    (one,) = container.read([ended(code)]).values()
    assert not one.alive()
    assert one.how() == says
    assert one.ended().startswith(f"{says} at 2026-11-22 ")


def test_that_the_memory_was_used_up_is_said() -> None:
    (one,) = container.read([ended(137, OOMKilled=True)]).values()
    assert one.how() == "was killed by signal 9: the memory was used up"


def test_one_that_was_made_and_not_started_has_not_ended() -> None:
    made = described("worker", Running=False, Pid=0, StartedAt=NEVER)
    (one,) = container.read([made]).values()
    assert not one.alive()
    assert one.exit is None
    assert one.ended() == "has not been started"


def test_one_that_is_started_again_and_again_does_not_run() -> None:
    (one,) = container.read([ended(1, Restarting=True) | {}]).values()
    assert not one.alive()


def test_the_page_of_the_ui_is_at_the_published_port() -> None:
    page = described("ui")
    page["HostConfig"]["PortBindings"] = {
        "8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18080"}]
    }
    (one,) = container.read([page]).values()
    assert one.settings["address"] == "127.0.0.1"
    assert one.settings["ports"] == {"http": 18080}
    assert one.published == {8080: 18080}


@given(
    st.fixed_dictionaries(
        {role: st.integers(1, 9) for role in ("history", "matching", "frontend", "worker")}
    ),
    st.dictionaries(st.sampled_from([*container.SCALE]), st.integers(0, 9)),
)
def test_compose_never_takes_one_away(replicas: dict[str, int], there: dict[str, int]) -> None:
    present = container.read(
        described(service, number)
        for service, count in there.items()
        for number in range(1, count + 1)
    )
    scale = container.scale(replicas, present.values())
    for service, variable in container.SCALE.items():
        wanted = replicas["frontend"] - 1 if service == container.UNPUBLISHED else replicas[service]
        assert int(scale[variable]) == max(wanted, there.get(service, 0))

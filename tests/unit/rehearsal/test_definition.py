"""Task definitions: what is placed, what is started when, how Docker is asked for it."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.rehearsal.ecs import commands, definition, placeholder
from temporal_dsql_deploy.rehearsal.ecs.commands import Place, Wanted
from temporal_dsql_deploy.rehearsal.ecs.definition import Definition, Part
from temporal_dsql_deploy.rehearsal.settings import RehearsalSettings

HERE = RehearsalSettings("/folder", "network", "bridge", "10.0.0.1")
PLACE = Place("task1", "web", "10.0.1.5", {"db.internal": "10.0.2.9"})


def read(*containers: dict[str, Any], **said: Any) -> Definition:
    """As moto keeps it."""
    known = {
        "arn": "arn:aws:ecs:eu-west-1:1:task-definition/family:3",
        "family": "family",
        "revision": 3,
        "cpu": None,
        "memory": None,
        "network_mode": "awsvpc",
        "volumes": [],
        "placement_constraints": [],
        "container_definitions": list(containers),
    }
    return definition.read(SimpleNamespace(**{**known, **said}))


def part(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "image": f"repository/{name}:1", **said}


def test_the_size_of_a_task_is_its_own_or_that_of_its_containers() -> None:
    own = read(part("a", cpu=64, memory=100), cpu="512", memory="1024").room
    assert (own.cpu, own.memory_mib, own.interfaces) == (512, 1024, 1)
    summed = read(part("a", cpu=64, memory=100), part("b", cpu=64, memoryReservation=28)).room
    assert (summed.cpu, summed.memory_mib) == (128, 128)
    assert read(part("a"), network_mode="bridge").room.interfaces == 0


CHAIN = read(
    part("init", essential=False),
    part("server", dependsOn=[{"containerName": "init", "condition": "SUCCESS"}]),
    part("beside", dependsOn=[{"containerName": "server", "condition": "HEALTHY"}]),
)


def names(parts: list[Part]) -> list[str]:
    return [one.name for one in parts]


def test_containers_start_when_what_they_wait_for_is_there() -> None:
    assert names(definition.startable(CHAIN, {})) == ["init"]
    begun = {"init": ["START"]}
    assert definition.startable(CHAIN, begun) == []
    assert definition.never(CHAIN, begun) is None
    ended = {"init": ["START", "COMPLETE", "SUCCESS"]}
    assert names(definition.startable(CHAIN, ended)) == ["server"]
    both = {**ended, "server": ["START"]}
    assert definition.startable(CHAIN, both) == []
    well = {**ended, "server": ["START", "HEALTHY"]}
    assert names(definition.startable(CHAIN, well)) == ["beside"]


def test_what_failed_is_never_waited_for() -> None:
    found = definition.never(CHAIN, {"init": ["START", "COMPLETE"]})
    assert found is not None
    assert found.name == "server"


def test_they_stop_in_the_other_order() -> None:
    order = [names(group) for group in definition.stop_order(CHAIN.parts)]
    assert order == [["beside"], ["server"], ["init"]]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=10))
def test_every_container_stops_once(pairs: list[tuple[int, int]]) -> None:
    waits: dict[int, list[dict[str, str]]] = {}
    for one, other in pairs:
        waits.setdefault(one, []).append({"containerName": str(other), "condition": "START"})
    made = read(*(part(str(number), dependsOn=waits.get(number, [])) for number in range(6)))
    stopped = [name for group in definition.stop_order(made.parts) for name in names(group)]
    assert sorted(stopped) == sorted(names(list(made.parts)))


def test_overrides_of_a_run_are_those_of_its_container() -> None:
    one = CHAIN.part("server")
    overrides = {
        "containerOverrides": [
            {"name": "init", "command": ["no"]},
            {"name": "server", "command": ["yes"], "environment": [{"name": "A", "value": "2"}]},
        ]
    }
    found = definition.overridden(
        Part("server", one.image, {**one.said, "environment": [{"name": "A", "value": "1"}]}),
        overrides,
    )
    assert found.said["command"] == ["yes"]
    assert found.environment == {"A": "2"}
    assert definition.overridden(one, None) == one


def test_a_health_check_is_what_is_run() -> None:
    shell = read(part("a", healthCheck={"command": ["CMD-SHELL", "a || b"]})).parts[0].check
    assert shell is not None
    assert shell.words() == ["/bin/sh", "-c", "a || b"]
    assert (shell.interval, shell.timeout, shell.retries) == (30, 5, 3)
    plain = read(part("a", healthCheck={"command": ["CMD", "a", "b"]})).parts[0].check
    assert plain is not None
    assert plain.words() == ["a", "b"]
    assert read(part("a", healthCheck={"command": ["NONE"]})).parts[0].check is None


def test_docker_is_asked_for_what_the_definition_says() -> None:
    one = Part(
        "server",
        "image",
        {
            "entryPoint": ["/bin/a", "-x"],
            "command": ["run"],
            "cpu": 256,
            "user": "1000",
            "memoryReservation": 64,
            "readonlyRootFilesystem": True,
            "stopTimeout": 17,
            "ulimits": [{"name": "nofile", "softLimit": 10, "hardLimit": 20}],
            "mountPoints": [{"sourceVolume": "v", "containerPath": "/v", "readOnly": True}],
            "linuxParameters": {
                "initProcessEnabled": True,
                "capabilities": {"drop": ["ALL"]},
                "tmpfs": [{"containerPath": "/t", "size": 1, "mountOptions": ["uid=1000"]}],
            },
        },
    )
    said = commands.create(PLACE, Wanted(one, "local", {"A": "1", "PATH": "/x"}, 512), HERE)
    text = " ".join(said)
    assert text.endswith("--entrypoint /bin/a local -x run")
    for expected in (
        "--network container:ecs-task1-pause",
        "--env A ",
        "--env PATH=/x",
        "--cpu-shares 256",
        "--memory 512m",
        "--memory-reservation 64m",
        "--user 1000",
        "--read-only",
        "--init",
        "--stop-timeout 17",
        "--ulimit nofile=10:20",
        "--volume ecs-task1-v:/v:ro",
        "--tmpfs /t:size=1m,uid=1000",
        "--cap-drop ALL",
        "--label dsql-deploy.rehearsal=/folder",
        "--label dsql-deploy.rehearsal.service=web",
    ):
        assert expected in text


def test_no_value_of_a_secret_stands_on_a_command_line() -> None:
    environment = {"PASSWORD": "hidden", "PATH": "/bin"}
    wanted = Wanted(Part("a", "image", {}), "local", environment, 64)
    assert "hidden" not in " ".join(commands.create(PLACE, wanted, HERE))
    assert commands.given(environment) == {"PASSWORD": "hidden"}


def test_the_network_of_a_task_has_its_address_and_names() -> None:
    text = " ".join(commands.pause(PLACE, HERE))
    assert "--network network --ip 10.0.1.5 --dns 10.0.0.1" in text
    assert "--add-host db.internal:10.0.2.9" in text
    assert text.endswith("--entrypoint sleep dsql-deploy-base:amd64 infinity")


def test_a_placeholder_answers_on_the_ports_or_ends_where_its_end_is_waited_for() -> None:
    check = {"command": ["CMD", "/none"], "interval": 9}
    made = read(
        part("init", essential=False),
        part(
            "loki",
            healthCheck=check,
            portMappings=[{"name": "http", "containerPort": 3100}],
            dependsOn=[{"containerName": "init", "condition": "SUCCESS"}],
        ),
    )
    init, loki = (placeholder.played(one, made) for one in made.parts)
    assert init.said["entryPoint"][-1] == ""
    assert loki.said["command"] == ["3100"]
    assert loki.check is not None
    assert loki.check.interval == 9
    assert loki.check.words()[-1] == "3100"
    assert loki.after == {"init": "SUCCESS"}

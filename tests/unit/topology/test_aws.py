"""What topology.json says of a deployment on AWS, which Terraform reads."""

import json
import re
from pathlib import Path

from temporal_dsql_deploy.topology import load, reader

DATA = json.loads((Path(reader.__file__).parent / "topology.json").read_text())
AWS = DATA["aws"]
PARTIES = {**DATA["roles"], **DATA["components"], **DATA["externals"], **AWS["components"]}
CALLED_BY_OTHERS = {"client", "load-balancer", "client-vpn", "database", "visibility"}
"""Parties that call no AWS API of their own, or on somebody else's behalf."""


def test_aws_traffic_goes_between_known_parties_to_a_port_that_is_there() -> None:
    for row in AWS["traffic"]:
        ports = set(PARTIES[row["to"]]["ports"])
        if row["to"] in DATA["roles"]:
            ports.add("metrics")
        assert row["from"] in PARTIES, row
        assert row["port_name"] in ports, row


def test_no_connection_is_written_twice() -> None:
    pairs = [
        (row["from"], row["to"], row["port_name"]) for row in [*DATA["traffic"], *AWS["traffic"]]
    ]
    assert len(pairs) == len(set(pairs))


def test_each_party_that_runs_on_aws_says_which_apis_it_calls() -> None:
    assert set(AWS["apis"]) == set(PARTIES) - CALLED_BY_OTHERS


def test_tasks_can_record_ecs_exec_sessions() -> None:
    tasks = set(AWS["apis"]) - {"instances"}
    assert all({"logs", "ssmmessages"} <= set(AWS["apis"][task]) for task in tasks)


def test_no_party_is_a_role_and_something_else() -> None:
    assert not set(AWS["components"]) & {*DATA["roles"], *DATA["components"], *DATA["externals"]}


def test_an_aws_port_is_written_once() -> None:
    text = (Path(reader.__file__).parent / "topology.json").read_text()
    for party in AWS["components"].values():
        for port in party["ports"].values():
            assert len(re.findall(rf"\b{port}\b", text)) == 1, port


def test_the_entrypoints_variables_are_told_whole_and_are_not_the_plugins() -> None:
    assert not set(DATA["runtime"]["variables"]) & set(load().environment)
    for name, variable in DATA["runtime"]["variables"].items():
        kinds = {"string", "int", "bool", "host", "duration", "address", "host_port", "json"}
        assert variable["type"] in kinds, name
        assert variable["meaning"].endswith("."), name
        assert not (variable["required"] and variable["default"]), name


def test_the_entrypoints_variables_are_read_as_they_are_written() -> None:
    runtime = load().runtime
    assert list(runtime) == list(DATA["runtime"]["variables"])
    shards = runtime["TEMPORAL_HISTORY_SHARDS"]
    assert (shards.name, shards.type, shards.required) == ("TEMPORAL_HISTORY_SHARDS", "int", True)
    assert runtime["BIND_ON_IP"].default == "0.0.0.0"  # noqa: S104
    assert all(each.meaning for each in runtime.values())


def test_everything_has_a_source() -> None:
    assert all(party["source"] for party in AWS["components"].values())
    assert all(row["source"] and row["why"] for row in AWS["traffic"])
    assert AWS["source"]
    assert AWS["apis_source"]
    assert DATA["runtime"]["source"]


def test_what_is_typed_is_what_stands_in_the_file() -> None:
    aws = load().aws
    typed = [{"from": row.from_, "to": row.to, "port_name": row.port_name} for row in aws.traffic]
    wanted = ("from", "to", "port_name")
    assert typed == [{key: row[key] for key in wanted} for row in AWS["traffic"]]
    assert {name: list(apis) for name, apis in aws.apis.items()} == AWS["apis"]
    assert {name: dict(one.ports) for name, one in aws.components.items()} == {
        name: one["ports"] for name, one in AWS["components"].items()
    }
    assert (aws.apis_source, aws.source) == (AWS["apis_source"], AWS["source"])
    assert all(row.why and row.source for row in aws.traffic)

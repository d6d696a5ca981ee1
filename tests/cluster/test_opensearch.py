"""The environment `cluster` with visibility in a real OpenSearch."""

import asyncio
import json
import os
import shutil
import signal
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from temporal_dsql_deploy.platforms.cluster import opensearch
from temporal_dsql_deploy.platforms.processes import record
from temporal_dsql_deploy.platforms.processes.record import Record
from temporal_dsql_deploy.visibility import index
from tests.support.deploy import Deploy

pytestmark = [
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("postgresql"),
    pytest.mark.needs("opensearch"),
    pytest.mark.needs("loopback addresses"),
    # It starts in 5 s, and in a minute where the machine has other work.
    pytest.mark.timeout(1200),
]

NETWORK = 100 + os.getpid() % 80
URL = f"http://127.{NETWORK}.0.3:9200"
INDEX = f"{URL}/{opensearch.INDEX}"
TEMPLATE = f"{URL}/_template/{index.TEMPLATE}"
FRONTEND = f"127.{NETWORK}.3.1:7233"
CUSTOMER = SearchAttributeKey.for_keyword("Customer")
_FILE = f"""\
network = {NETWORK}
visibility = "opensearch"
[search_attributes]
Customer = "Keyword"
[dynamic_config]
"system.forceSearchAttributesCacheRefreshOnRead" = true
"""
"""With that key a new search attribute can be used at once, and not within a minute."""
_PATIENCE = 600.0


@pytest.fixture(scope="module")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deploy]:
    """`dsql-deploy` with a cluster that runs, and that the tests share in their order.

    Its folder has a space in its name, as those of people have.
    """
    command = Deploy(tmp_path_factory.mktemp("open search"))
    path = command.config / "dsql-deploy" / "environments" / "cluster.toml"
    path.write_text(_FILE)
    try:
        first = up(command)
        assert first["probe"]["ok"], first["probe"]
        assert first["status"]["healthy"]
        yield command
    finally:
        command.clean_up()


def up(deploy: Deploy) -> Any:
    done = deploy.run("up", "cluster", "--json", timeout=_PATIENCE)
    return json.loads(done.stdout)


def run_of(deploy: Deploy, name: str) -> Record:
    found = record.read(deploy.state / "dsql-deploy" / "cluster" / "run" / f"{name}.json")
    assert found is not None
    return found


def kill(deploy: Deploy, name: str) -> None:
    os.kill(run_of(deploy, name).process.pid, signal.SIGKILL)


def changes(result: Any) -> dict[str, str]:
    return {change["what"]: change["action"] for change in result["changes"]}


def ask(method: str, url: str, body: Any = None) -> Any:
    request = urllib.request.Request(url, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


async def start(workflow: str) -> None:
    client = await Client.connect(FRONTEND)
    customer = TypedSearchAttributes([SearchAttributePair(CUSTOMER, workflow)])
    await client.start_workflow("any", id=workflow, task_queue="nobody", search_attributes=customer)


async def found(query: str) -> list[str]:
    """The workflows that a query lists, once it lists as many as it counts, and any at all."""
    client = await Client.connect(FRONTEND)
    deadline = time.monotonic() + 120
    while True:
        listed = [one.id async for one in client.list_workflows(query)]
        counted = (await client.count_workflows(query)).count
        if (listed and len(listed) == counted) or time.monotonic() > deadline:
            return listed
        await asyncio.sleep(0.1)


def test_it_listens_at_its_one_address_and_is_shown(deploy: Deploy) -> None:
    status = deploy.json("status", "cluster")
    (shown,) = (part for part in status["components"] if part["name"] == "opensearch")
    assert shown["state"] == "SERVING"
    assert shown["address"] == URL
    pid = run_of(deploy, "opensearch").process.pid
    listening = {
        (connection.laddr.ip.removeprefix("::ffff:"), connection.laddr.port)
        for connection in psutil.Process(pid).net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {(f"127.{NETWORK}.0.3", 9200), (f"127.{NETWORK}.0.3", 9300)}
    assert deploy.run("open", "cluster", "opensearch").stdout.strip() == URL
    if os.geteuid() == 0:
        assert psutil.Process(pid).username() == "nobody"


def test_its_log_is_read_as_those_of_the_others(deploy: Deploy) -> None:
    words = ("logs", "cluster", "--component", "opensearch", "--tail", "10000", "--json")
    lines = [json.loads(line) for line in deploy.run(*words).stdout.splitlines()]
    (started,) = (line for line in lines if line["message"].endswith("Node: started"))
    assert started["level"] == "INFO"
    assert started["time"]


def test_the_index_is_what_the_tool_of_the_server_wants(deploy: Deploy) -> None:
    assert opensearch.differences(URL) == []
    mapping = ask("GET", f"{INDEX}/_mapping")[opensearch.INDEX]["mappings"]
    assert mapping["dynamic"] == "false"
    assert mapping["properties"]["CloseTime"] == {"type": "date_nanos"}
    # The server has put it there, for the custom search attribute of the environment.
    assert mapping["properties"]["Customer"] == {"type": "keyword"}


def test_the_verbs_of_visibility_find_nothing_to_do(deploy: Deploy) -> None:
    found = deploy.json("visibility", "status", "cluster")
    assert found["ok"], found["findings"]
    assert found["further_fields"] == ["Customer"]
    for verb in ("setup", "repair"):
        assert deploy.json("visibility", verb, "cluster")["done"] == []


def test_workflows_are_found_also_after_it_was_killed(deploy: Deploy) -> None:
    asyncio.run(start("before"))
    assert asyncio.run(found("Customer = 'before'")) == ["before"]
    pids = {name: run_of(deploy, name).process.pid for name in ("history-1", "database")}
    kill(deploy, "opensearch")
    assert not deploy.json("status", "cluster", check=False)["healthy"]
    # History keeps what it could not write, and writes it later.
    asyncio.run(start("meanwhile"))
    mended = up(deploy)
    assert changes(mended) == {"opensearch": "start"}
    assert mended["probe"]["ok"], mended["probe"]
    assert {name: run_of(deploy, name).process.pid for name in pids} == pids
    for name in ("before", "meanwhile"):
        assert asyncio.run(found(f"Customer = '{name}'")) == [name]


def test_it_cannot_be_changed_for_another_store(deploy: Deploy) -> None:
    refused = deploy.run("up", "cluster", "--visibility", "sql", check=False)
    assert refused.returncode == 2
    assert "the visibility store is opensearch and cannot become sql" in refused.stderr
    unknown = deploy.run("up", "cluster", "--visibility", "mysql", check=False)
    assert unknown.returncode == 2
    assert "known are: sql, opensearch" in unknown.stderr


def test_an_index_of_an_older_server_gets_the_fields_that_it_lacks(deploy: Deploy) -> None:
    template = ask("GET", f"{TEMPLATE}?flat_settings=true")[index.TEMPLATE]
    older = {key: template[key] for key in ("settings", "mappings")}
    del older["mappings"]["properties"]["TemporalExternalPayloadCount"]
    ask("DELETE", TEMPLATE)
    ask("DELETE", INDEX)
    ask("PUT", INDEX, older)
    kill(deploy, "opensearch")
    mended = deploy.run("up", "cluster", timeout=_PATIENCE)
    assert f"field TemporalExternalPayloadCount of index {opensearch.INDEX}" in mended.stderr
    assert opensearch.differences(URL) == []


def test_an_index_with_another_mapping_is_refused_and_the_rest_stays(deploy: Deploy) -> None:
    ask("DELETE", INDEX)
    ask("PUT", INDEX, {"mappings": {"properties": {"CloseTime": {"type": "date"}}}})
    said = deploy.run("visibility", "status", "cluster", check=False)
    assert said.returncode == 1
    assert "NG  field CloseTime: expected date_nanos, found date" in said.stdout
    pid = run_of(deploy, "history-1").process.pid
    kill(deploy, "opensearch")
    refused = deploy.run("up", "cluster", check=False, timeout=_PATIENCE)
    assert refused.returncode == 3, refused.stderr
    assert "[index-unusable]" in refused.stderr
    assert "field CloseTime is date, date_nanos is expected" in refused.stderr
    assert run_of(deploy, "history-1").process.pid == pid
    assert run_of(deploy, "history-1").alive()
    # What it says to do.
    data = deploy.state / "dsql-deploy" / "cluster" / "opensearch"
    assert f"delete the folder {data}" in refused.stderr
    deploy.run("down", "cluster", timeout=_PATIENCE)
    shutil.rmtree(data)
    assert up(deploy)["probe"]["ok"]
    assert opensearch.differences(URL) == []


def test_it_ends_and_goes_with_the_cluster(deploy: Deploy) -> None:
    deploy.run("down", "cluster", timeout=_PATIENCE)
    assert not deploy.servers()
    deploy.run("destroy", "cluster", "--yes")
    assert not (deploy.state / "dsql-deploy" / "cluster").exists()

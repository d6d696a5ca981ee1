"""`dsql-deploy visibility` against a real OpenSearch, behind what asks for AWS's signature."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy.platforms.cluster import build
from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from temporal_dsql_deploy.visibility import expected
from tests.support import opensearch
from tests.support.aws import aws
from tests.support.deploy import Deploy
from tests.support.deployed import stands
from tests.support.opensearch import CREDENTIALS, Gate
from tests.support.visibility_verbs import INDEX, Verbs

__all__ = ["aws"]

pytestmark = [pytest.mark.needs("opensearch"), pytest.mark.timeout(600)]

TEMPLATE = "/_template/temporal_visibility_v1_template"
OFF = {"persistent": {"action.auto_create_index": None}}
MISSING = "NG  template temporal_visibility_v1_template: expected one for temporal_visibility_v1*"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with opensearch.running(tmp_path_factory.mktemp("opensearch")) as started:
        yield started


@pytest.fixture
def gate(url: str) -> Iterator[Gate]:
    """An OpenSearch in which nothing of a test before is left."""
    for name in opensearch.ask(url, "GET", "/_all?expand_wildcards=all"):
        opensearch.ask(url, "DELETE", f"/{name}")
    opensearch.ask(url, "DELETE", "/_template/*")
    opensearch.ask(url, "DELETE", "/_index_template/*")
    opensearch.ask(url, "PUT", "/_cluster/settings", OFF)
    with Gate(url) as made:
        yield made


@pytest.fixture
def verbs(deploy: Deploy, gate: Gate) -> Verbs:
    return Verbs(deploy, gate)


def untyped(verbs: Verbs) -> None:
    """An empty index that has to be made anew, with a search attribute."""
    properties = {"CloseTime": {"type": "date"}, "Customer": {"type": "keyword"}}
    verbs.ask("PUT", f"/{INDEX}", {"mappings": {"properties": properties}})


def test_it_is_made_in_the_right_order_and_only_once(verbs: Verbs) -> None:
    would = verbs.json("setup", "--dry-run")
    assert verbs.gate.changes() == []
    first = verbs.json("setup")
    assert first["done"] == would["calls"]
    assert verbs.gate.changes() == ["PUT /_cluster/settings", f"PUT {TEMPLATE}", f"PUT /{INDEX}"]
    assert first["status"]["ok"]
    assert first["status"]["health"] == "green"
    assert all(one["ok"] for one in first["status"]["fields"])
    assert len(first["status"]["fields"]) == 49
    again = verbs.run("setup")
    assert again.returncode == 0
    assert again.stdout.startswith("nothing to do\n")
    assert "49 of 49 fields as expected" in again.stdout
    assert len(verbs.gate.changes()) == 3
    assert verbs.gate.refused == 0


def test_it_is_what_the_tool_of_the_server_makes(verbs: Verbs) -> None:
    assert verbs.run("setup").returncode == 0
    ours = verbs.ask("GET", TEMPLATE), verbs.ask("GET", f"/{INDEX}")[INDEX]
    verbs.ask("DELETE", TEMPLATE)
    other = f"{INDEX}_of_the_tool"
    tool = build.elasticsearch_tool().folder / build.ELASTICSEARCH_TOOL
    for words in (["setup-schema"], ["create-index", "--index", other]):
        subprocess.run(
            [tool, "--endpoint", verbs.gate.behind, *words], check=True, capture_output=True
        )
    theirs = verbs.ask("GET", TEMPLATE), verbs.ask("GET", f"/{other}")[other]
    assert json.dumps(ours[0]) == json.dumps(theirs[0])
    assert json.dumps(ours[1]["mappings"]) == json.dumps(theirs[1]["mappings"])
    for one in (ours[1], theirs[1]):
        for own in ("creation_date", "uuid", "provided_name"):
            del one["settings"]["index"][own]
    assert ours[1]["settings"] == theirs[1]["settings"]
    judged = verbs.run("status", index=other)
    assert judged.returncode == 0, judged.stdout
    assert "everything is as the server expects it" in judged.stdout
    repaired = verbs.run("repair", index=other)
    assert repaired.stdout.startswith("nothing to do\n")


def test_an_index_that_was_made_before_the_template_is_not_accepted(verbs: Verbs) -> None:
    verbs.ask("PUT", f"/{INDEX}")
    made = verbs.run("setup")
    assert made.returncode == 1
    assert "NG  30 fields are missing, " in made.stdout
    assert "keyword is expected: NamespaceId, TemporalNamespaceDivision, " in made.stdout
    assert "NG  setting index.sort.order" in made.stdout
    assert "cannot be changed in an index that is there" in made.stdout
    # It is empty: who agrees gets another.
    asked = verbs.run("repair")
    assert asked.returncode == 4
    assert "[not-confirmed]" in asked.stderr
    assert verbs.ask("GET", f"/{INDEX}/_mapping") == {INDEX: {"mappings": {}}}
    mended = verbs.run("repair", "--yes")
    assert mended.returncode == 0, mended.stdout
    assert verbs.json("status")["ok"]
    assert "blocks" not in verbs.ask("GET", f"/{INDEX}")[INDEX]["settings"]["index"]


def test_a_template_that_is_missing_or_old_is_written(verbs: Verbs) -> None:
    verbs.run("setup")
    verbs.ask("DELETE", TEMPLATE)
    missing = verbs.run("status")
    assert missing.returncode == 1
    assert MISSING in missing.stdout
    assert verbs.json("repair")["done"][0].startswith(f"PUT {TEMPLATE} ")
    old = dict(expected.packaged().template)
    old["mappings"] = {"dynamic": "false", "properties": {"CloseTime": {"type": "date_nanos"}}}
    verbs.ask("PUT", TEMPLATE, old)
    assert verbs.json("status")["template"] == "different"
    assert verbs.json("setup")["status"]["template"] == "as expected"


def test_fields_that_are_missing_are_added_in_place(verbs: Verbs) -> None:
    older = json.loads(json.dumps(expected.packaged().template))
    del older["mappings"]["properties"]["TemporalExternalPayloadCount"]
    older["mappings"]["dynamic"] = "strict"
    verbs.ask("PUT", TEMPLATE, older)
    verbs.ask("PUT", f"/{INDEX}", {"mappings": {"properties": {"Customer": {"type": "keyword"}}}})
    verbs.ask("PUT", f"/{INDEX}/_doc/a?refresh=true", {"WorkflowId": "a"})
    found = verbs.json("status")
    named = [
        (one["what"], one["found"]) for one in found["findings"] if "template" not in one["what"]
    ]
    assert named[1:] == [
        ("field TemporalExternalPayloadCount", ""),
        ("mapping option dynamic", "strict"),
    ]
    mended = verbs.json("repair")
    assert mended["status"]["ok"]
    assert mended["status"]["documents"] == 1
    assert mended["status"]["further_fields"] == ["Customer"]
    assert verbs.json("repair")["done"] == []


def test_a_field_of_another_type_is_shown_and_the_way_out_is_a_plan(verbs: Verbs) -> None:
    verbs.run("setup")
    verbs.ask("DELETE", f"/{INDEX}")
    untyped(verbs)
    verbs.ask("PUT", f"/{INDEX}/_doc/a?refresh=true", {"WorkflowId": "a"})
    assert "NG  field CloseTime: expected date_nanos, found date" in verbs.run("status").stdout
    before = len(verbs.gate.changes())
    for options in (["--yes"], ["--yes", "--dry-run"]):
        refused = verbs.run("repair", *options)
        assert refused.returncode == 1
        assert f"PUT /{INDEX}_2 " in refused.stdout
        assert '"version_type": "external"' in refused.stdout
        assert f'opensearch_visibility_index = "{INDEX}_2"' in refused.stdout
    assert verbs.gate.changes()[before:] == []
    # The first step of the plan makes one that is right, with the search attribute of the old.
    (step, *_) = verbs.json("repair")["steps"]
    method, path, body = step["calls"][0].split(" ", 2)
    verbs.ask(method, path, json.loads(body))
    made = verbs.json("status", index=f"{INDEX}_2")
    assert made["ok"]
    assert made["further_fields"] == ["Customer"]


def test_an_empty_one_is_made_anew_with_its_search_attributes(verbs: Verbs) -> None:
    verbs.run("setup")
    verbs.ask("DELETE", f"/{INDEX}")
    untyped(verbs)
    made = verbs.json("repair", "--yes")
    assert made["status"]["ok"]
    assert made["status"]["further_fields"] == ["Customer"]


def test_one_that_is_written_to_meanwhile_is_not_deleted(verbs: Verbs) -> None:
    verbs.ask("PUT", f"/{INDEX}", {"mappings": {"properties": {"CloseTime": {"type": "date"}}}})

    def write(method: str, path: str) -> None:
        """A document comes in just before the index is closed to them."""
        if path.endswith("/_settings"):
            verbs.gate.answer = lambda *_: None
            verbs.ask("PUT", f"/{INDEX}/_doc/a", {"WorkflowId": "a"})

    verbs.gate.answer = write
    refused = verbs.run("repair", "--yes")
    assert refused.returncode == 4, refused.stderr
    assert "[protected]" in refused.stderr
    assert verbs.ask("GET", f"/{INDEX}/_count")["count"] == 1
    verbs.ask("PUT", f"/{INDEX}/_doc/b", {"WorkflowId": "b"})


def test_a_block_that_was_set_though_its_answer_was_lost_is_taken_back(verbs: Verbs) -> None:
    untyped(verbs)

    def lost(method: str, path: str) -> Any:
        if path != f"/{INDEX}/_settings":
            return None
        verbs.gate.answer = lambda *_: None
        verbs.ask(method, path, {"index.blocks.write": True})
        return 503, b""

    verbs.gate.answer = lost
    assert verbs.run("repair", "--yes").returncode == 1
    found = verbs.ask("GET", f"/{INDEX}")[INDEX]
    assert "blocks" not in found["settings"]["index"]
    assert found["aliases"] == {}


def test_a_block_that_could_not_be_taken_back_is_known_again(verbs: Verbs) -> None:
    untyped(verbs)

    def away(method: str, path: str) -> Any:
        if path != f"/{INDEX}/_settings":
            return None
        verbs.ask(method, path, {"index.blocks.write": True})
        verbs.gate.answer = lambda *_: (503, b"")
        return 503, b""

    verbs.gate.answer = away
    stopped = verbs.run("repair", "--yes")
    assert stopped.returncode == 5, stopped.stderr
    assert "may still be closed to writes" in stopped.stderr
    verbs.gate.answer = lambda *_: None
    left = verbs.run("status").stdout
    assert "NG  setting index.blocks.write: expected false, found true: a repair" in left
    made = verbs.json("repair", "--yes")
    assert made["status"]["ok"]
    assert made["status"]["further_fields"] == ["Customer"]
    verbs.ask("PUT", f"/{INDEX}/_doc/a", {"WorkflowId": "a"})


def test_an_index_that_was_deleted_and_not_made_again_can_be_made_as_it_was(verbs: Verbs) -> None:
    untyped(verbs)

    def refused(method: str, path: str) -> Any:
        return (503, b"") if (method, path) == ("PUT", f"/{INDEX}") else None

    verbs.gate.answer = refused
    stopped = verbs.run("repair", "--yes")
    assert stopped.returncode == 5, stopped.stderr
    told = re.search(rf"attributes: PUT /{INDEX} (.*); then compare it", stopped.stderr)
    assert told is not None, stopped.stderr
    verbs.ask("PUT", f"/{INDEX}", json.loads(told[1]))
    made = verbs.json("status")
    assert made["ok"]
    assert made["further_fields"] == ["Customer"]


def test_an_index_of_another_name_is_named(verbs: Verbs) -> None:
    verbs.run("setup", index="temporal_visibility_v1_prod")
    missing = verbs.run("status")
    assert missing.returncode == 1
    assert "found others are there: temporal_visibility_v1_prod" in missing.stdout
    # One that the template is not for would have no mapping: it is not even made.
    before = len(verbs.gate.changes())
    wrong = verbs.run("setup", index="visibility")
    assert wrong.returncode == 1
    assert "NG  name visibility: expected temporal_visibility_v1*" in wrong.stdout
    assert verbs.gate.changes()[before:] == []


def test_a_newer_kind_of_template_that_goes_before_is_found_first(verbs: Verbs) -> None:
    body = {"index_patterns": ["temporal*"], "priority": 1}
    verbs.ask("PUT", "/_index_template/everything", body)
    refused = verbs.run("setup")
    assert refused.returncode == 1
    assert f"NG  index template everything: expected none that matches {INDEX}" in refused.stdout
    assert "DELETE /_index_template/everything" in refused.stdout
    assert verbs.gate.changes() == []


def test_an_alias_is_followed(verbs: Verbs) -> None:
    verbs.run("setup", index=f"{INDEX}_1")
    verbs.ask("PUT", f"/{INDEX}_1/_alias/{INDEX}")
    found = verbs.json("status")
    assert found["ok"]
    assert (found["index"], found["stored_in"]) == (INDEX, f"{INDEX}_1")
    verbs.ask("PUT", f"/{INDEX}_9")
    verbs.ask("PUT", f"/{INDEX}_9/_alias/{INDEX}")
    several = verbs.run("status")
    assert several.returncode == 1
    assert f"found an alias of 2: {INDEX}_1, {INDEX}_9" in several.stdout


def test_a_block_and_a_closed_index_are_found(verbs: Verbs) -> None:
    verbs.run("setup")
    verbs.ask("PUT", f"/{INDEX}/_settings", {"index.blocks.read_only_allow_delete": True})
    blocked = verbs.run("status")
    assert blocked.returncode == 1
    assert "NG  setting index.blocks.read_only_allow_delete" in blocked.stdout
    verbs.ask("PUT", f"/{INDEX}/_settings", {"index.blocks.read_only_allow_delete": None})
    verbs.ask("POST", f"/{INDEX}/_close")
    closed = verbs.run("status")
    assert closed.returncode == 1
    assert f"NG  index {INDEX}: expected open, found closed" in closed.stdout


@pytest.fixture
def red(verbs: Verbs) -> Verbs:
    """An index whose only shard has to be where no node is."""
    nowhere = {"index.routing.allocation.require._name": "nobody", "index.number_of_replicas": 0}
    verbs.ask("PUT", "/elsewhere?wait_for_active_shards=0", {"settings": nowhere})
    return verbs


def test_a_red_cluster_is_said_to_be_and_why(red: Verbs) -> None:
    found = red.run("status")
    assert found.returncode == 1
    assert "NG  cluster health: expected green or yellow, found red: primary 0 of elsewhere" in (
        found.stdout
    )
    refused = red.run("setup", "--wait", "1")
    assert refused.returncode == 1
    assert "[not-ready]" in refused.stderr
    assert "index.routing.allocation.require" in refused.stderr
    assert red.gate.changes() == []


def test_it_goes_on_when_the_cluster_is_not_red_any_more(red: Verbs) -> None:
    process = red.deploy.start(*red.words("setup"), **CREDENTIALS)
    assert process.stderr is not None
    assert "waiting up to 300 s" in process.stderr.readline()
    red.ask("DELETE", "/elsewhere")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said


def test_repair_waits_too_and_then_does_what_there_is_to_do(red: Verbs) -> None:
    process = red.deploy.start(*red.words("repair"), **CREDENTIALS)
    assert process.stderr is not None
    assert "waiting up to 300 s" in process.stderr.readline()
    red.ask("DELETE", "/elsewhere")
    process.communicate(timeout=60)
    # It does not make an index; what one stands on it writes.
    assert red.gate.changes() == ["PUT /_cluster/settings", f"PUT {TEMPLATE}"]


def test_a_wait_can_be_interrupted(red: Verbs) -> None:
    process = red.deploy.start(*red.words("setup"), **CREDENTIALS)
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said


def test_who_does_not_sign_right_is_told_so(verbs: Verbs) -> None:
    unsigned = subprocess.run(
        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", verbs.gate.url],
        capture_output=True,
        text=True,
        check=True,
    )
    assert unsigned.stdout == "403"
    other = verbs.run("status", AWS_SECRET_ACCESS_KEY="another")  # noqa: S106
    assert other.returncode == 3
    assert "[credentials-missing]" in other.stderr
    assert "The request signature we calculated does not match" in other.stderr
    none = verbs.run("status", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert none.returncode == 3
    assert "there are no AWS credentials" in none.stderr
    assert verbs.gate.calls == []
    for said, code in (
        (b'{"Message": "User: arn:aws:iam::1:role/x is not authorized"}', "permission-missing"),
        (b'{"message": "The security token included in the request is expired"}', "expired"),
    ):
        verbs.gate.answer = lambda *_, said=said: (403, said)
        refused = verbs.run("status")
        assert refused.returncode == 3
        assert code in refused.stderr


@pytest.mark.needs("terraform")
def test_the_domain_and_the_index_are_those_of_the_outputs(
    deploy: Deploy, gate: Gate, aws: EmulatedAws, tmp_path: Path
) -> None:
    outputs = {"opensearch_endpoint": gate.url, "opensearch_visibility_index": INDEX}
    file = stands(tmp_path, outputs)
    variables: dict[str, Any] = {**aws.environment(), **CREDENTIALS}
    words = ("visibility", "setup", "ours", "--file", str(file))
    done = deploy.run(*words, **variables)
    assert f"PUT /{INDEX}" in done.stdout
    assert INDEX in opensearch.ask(gate.behind, "GET", "/_all")

"""Rules about the OpenSearch domain, on a plan made by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.checks.visibility import FAMILY
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import PRIVATE, good
from tests.support.draft import ABSENT, TASK, Break, Draft, every, only, verdicts

DOMAIN = "aws_opensearch_domain.main"
TOOL = "temporal-elasticsearch-tool --aws aws-sdk-default"
OPTIONS = "domain_endpoint_options.0"
BREAKS = [
    Break("visibility-vpc", DOMAIN, "vpc_options.0.security_group_ids", ([], None)),
    Break("visibility-encrypted", DOMAIN, "encrypt_at_rest.0.enabled", (False, None)),
    Break(
        "visibility-encrypted",
        DOMAIN,
        "encrypt_at_rest",
        ([],),
        (DOMAIN, "encrypt_at_rest.0.enabled"),
    ),
    Break("visibility-encrypted", DOMAIN, "node_to_node_encryption.0.enabled", (False, None)),
    Break("visibility-tls", DOMAIN, f"{OPTIONS}.enforce_https", (False,)),
    Break(
        "visibility-tls",
        DOMAIN,
        f"{OPTIONS}.tls_security_policy",
        ("Policy-Min-TLS-1-0-2019-07", None),
    ),
    Break(
        "visibility-engine",
        DOMAIN,
        "engine_version",
        ("OpenSearch_1.3", "Elasticsearch_6.8", "nonsense"),
    ),
    Break(
        "visibility-name",
        DOMAIN,
        "domain_name",
        ("a-name-of-thirty-characters-ab", "Shop", "ab", "9lives"),
    ),
    Break("visibility-storage", DOMAIN, "ebs_options.0.ebs_enabled", (False, None)),
    Break("visibility-storage", DOMAIN, "ebs_options.0.volume_size", (1, 9, None)),
    Break(
        "visibility-zones",
        DOMAIN,
        "cluster_config.0.instance_count",
        (2, 3),
        (DOMAIN, "cluster_config.0.zone_awareness_enabled"),
    ),
    Break("visibility-zones", DOMAIN, "vpc_options.0.subnet_ids", (list(PRIVATE),)),
    Break(
        "visibility-setup",
        "setup/0",
        "command",
        (
            [f"{TOOL} create-index\n{TOOL} setup-schema"],
            [f"{TOOL} setup-schema"],
            [f"{TOOL} create-index --index temporal_visibility_v1_dev"],
            ["temporal-elasticsearch-tool setup-schema; temporal-elasticsearch-tool create-index"],
        ),
    ),
    Break(
        "visibility-setup",
        "setup/0",
        "environment.0.value",
        ("us-east-1", ""),
        (f"{TASK}.setup", "container_definitions.0.environment.AWS_REGION"),
    ),
    Break(
        "visibility-endpoint",
        "setup/0",
        "environment.1.value",
        ("https://vpc-other.eu-west-1.es.amazonaws.com:443", ""),
        (f"{TASK}.setup", "container_definitions.0.environment.ES_SERVER"),
    ),
]
SMALL = ("t3.small.search", "t3.medium.search", "m6g.large.search")


def spread(draft: Draft, *, nodes: int, zones: int, kind: str = "m6g.large.search") -> Draft:
    """The same with as many nodes in as many zones."""
    config = draft[DOMAIN]["cluster_config"][0]
    config.update(instance_count=nodes, instance_type=kind, zone_awareness_enabled=True)
    config["zone_awareness_config"] = [{"availability_zone_count": zones}]
    draft.put(DOMAIN, "vpc_options.0.subnet_ids", [f"subnet-{n}" for n in range(zones)])
    return draft


def test_the_domain_of_a_good_plan_is_as_it_should_be() -> None:
    assert set(verdicts(good().judged(FAMILY)).values()) == {Verdict.OK}


@pytest.mark.parametrize(("wrong", "value"), every(BREAKS))
def test_what_is_wrong_is_found_where_it_is(wrong: Break, value: Any) -> None:
    wrong.holds(FAMILY, good(), value)


@given(st.sampled_from(BREAKS), st.sampled_from(SMALL), st.integers(10, 500), st.data())
def test_property_9(wrong: Break, kind: str, gib: int, data: st.DataObject) -> None:
    """Feature: temporal-ecs-fargate, Property 9: private, encrypted, TLS 1.2; small for dev."""
    draft = good().put(DOMAIN, "cluster_config.0.instance_type", kind)
    draft.put(DOMAIN, "ebs_options.0.volume_size", gib)
    draft.put(
        DOMAIN,
        "engine_version",
        data.draw(
            st.sampled_from(
                ("OpenSearch_2.11", "OpenSearch_2.19", "OpenSearch_3.1", "Elasticsearch_7.10")
            )
        ),
    )
    assert not draft.judged(FAMILY).findings
    wrong.holds(FAMILY, draft, data.draw(st.sampled_from(wrong.values)))


@given(st.sampled_from([2, 3]), st.integers(1, 4), st.integers(2, 6))
def test_property_9_of_larger_clusters(zones: int, times: int, replicas: int) -> None:
    """Feature: temporal-ecs-fargate, Property 9: as followed, several nodes in several zones."""
    draft = spread(good(), nodes=zones * times, zones=zones)
    draft.outputs["services"]["history"]["replicas"] = replicas
    assert not draft.judged(FAMILY).findings
    draft.put(DOMAIN, "cluster_config.0.instance_count", zones * times + 1)
    (found,) = only(draft.judged(FAMILY), "visibility-zones")
    assert found.attribute == "cluster_config.0.instance_count"


@pytest.mark.parametrize(
    ("nodes", "kind", "attribute"),
    [(1, "m6g.large.search", "instance_count"), (2, "t3.small.search", "instance_type")],
)
def test_a_cluster_with_several_tasks_needs_more(nodes: int, kind: str, attribute: str) -> None:
    draft = good()
    draft.put(DOMAIN, "cluster_config.0.instance_type", kind)
    if nodes > 1:
        spread(draft, nodes=nodes, zones=2, kind=kind)
    draft.outputs["services"]["frontend"]["replicas"] = 3
    (found,) = only(draft.judged(FAMILY), "visibility-size")
    assert found.attribute == f"cluster_config.0.{attribute}"


def test_two_subnets_of_one_zone_are_found() -> None:
    draft = spread(good(), nodes=2, zones=2).put(
        DOMAIN, "vpc_options.0.subnet_ids", ["subnet-private-a", "subnet-public"]
    )
    (found,) = only(draft.judged(FAMILY), "visibility-zones")
    assert found.attribute == "vpc_options.0.subnet_ids"


def test_a_type_with_a_disk_of_its_own_needs_no_other() -> None:
    draft = good().put(DOMAIN, "cluster_config.0.instance_type", "r6gd.large.search")
    assert not draft.put(DOMAIN, "ebs_options", []).judged(FAMILY).findings


def test_servers_of_another_domain_or_index_are_found() -> None:
    draft = good()
    for each in draft.containers["history"][0]["environment"]:
        if each["name"] == "TEMPORAL_ELASTICSEARCH_HOST":
            each["value"] = "vpc-other.eu-west-1.es.amazonaws.com"
    (found,) = only(draft.judged(FAMILY), "visibility-endpoint")
    assert found.resource == f"{TASK}.history"
    draft = good()
    index = {"name": "TEMPORAL_ELASTICSEARCH_INDEX", "value": "other"}
    draft.containers["worker"][0]["environment"].append(index)
    (found,) = only(draft.judged(FAMILY), "visibility-setup")
    assert found.attribute.endswith("ES_VISIBILITY_INDEX")


def test_what_is_not_known_is_not_judged() -> None:
    for path, rule in (
        ("vpc_options.0.subnet_ids", "visibility-vpc"),
        ("encrypt_at_rest.0.enabled", "visibility-encrypted"),
        (f"{OPTIONS}.tls_security_policy", "visibility-tls"),
        ("engine_version", "visibility-engine"),
        ("domain_name", "visibility-name"),
        ("cluster_config.0.instance_type", "visibility-size"),
        ("cluster_config.0.zone_awareness_enabled", "visibility-zones"),
        ("ebs_options.0.volume_size", "visibility-storage"),
        ("endpoint", "visibility-endpoint"),
    ):
        found = verdicts(good().put(DOMAIN, path, UNKNOWN).judged(FAMILY))
        assert found[rule] is Verdict.SKIP, rule
    hidden = good().put(f"{TASK}.setup", "container_definitions", UNKNOWN)
    assert verdicts(hidden.judged(FAMILY))["visibility-setup"] is Verdict.SKIP
    assert set(verdicts(Draft().judged(FAMILY)).values()) == {Verdict.SKIP}


def test_a_set_up_task_that_does_something_else_is_not_judged() -> None:
    draft = good().put("setup/0", "command", ABSENT)
    assert verdicts(draft.judged(FAMILY))["visibility-setup"] is Verdict.SKIP

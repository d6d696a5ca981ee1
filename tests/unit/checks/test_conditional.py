"""Rules about what is switched off, on a plan made by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.conditional import FAMILY
from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import ROLES, arn, good
from tests.support.draft import SERVICE, TASK, Draft, only, verdicts

TABLE = "aws_dynamodb_table.lease"


def with_table(roles: tuple[str, ...] = ROLES, name: str = "shop-lease") -> Draft:
    draft = good()
    draft.add(TABLE, name="shop-lease", hash_key="pk")
    for role in roles:
        variable = {"name": "DSQL_DISTRIBUTED_CONN_LEASE_TABLE", "value": name}
        draft.containers[role][0]["environment"].append(variable)
    return draft


def with_loki() -> Draft:
    draft = good()
    draft.add("aws_s3_bucket.loki", bucket="shop-loki")
    own = draft.add(
        "aws_ssm_parameter.loki",
        name="/shop/loki/config",
        arn=arn("ssm", "parameter/loki"),
        value='storage_config:\n  aws:\n    bucketnames: "shop-loki"\n',
    )
    draft.values[f"{TASK}.loki"] = {
        **draft.task("ui"),
        "family": "shop-loki",
        "arn": arn("ecs", "task-definition/shop-loki:1"),
    }
    secrets = [{"name": "CONFIG", "valueFrom": own["arn"]}]
    draft.containers["loki"] = [{"name": "loki", "image": "loki:3", "secrets": secrets}]
    draft.values[f"{SERVICE}.loki"] = {
        **draft.service("ui"),
        "name": "shop-loki",
        "task_definition": draft.task("loki")["arn"],
    }
    return draft


def test_nothing_of_a_good_plan_is_there_for_nobody() -> None:
    found = verdicts(good().judged(FAMILY))
    assert found.pop("conditional-hosts") is Verdict.SKIP
    assert set(found.values()) == {Verdict.OK}


@given(st.sets(st.sampled_from(ROLES)))
def test_a_table_is_used_by_all_roles_or_not_made(roles: set[str]) -> None:
    judged = with_table(tuple(roles)).judged(FAMILY)
    if roles == set(ROLES):
        assert not judged.findings
        return
    (found,) = only(judged, "conditional-tables")
    assert found.resource == TABLE
    assert all(role in found.evidence for role in set(ROLES) - roles) or not roles


def test_a_table_that_is_not_made_is_found() -> None:
    found = only(with_table(name="shop-other").judged(FAMILY), "conditional-tables")
    assert (
        f"{TASK}.history",
        "container_definitions.0.environment.DSQL_DISTRIBUTED_CONN_LEASE_TABLE",
    ) in [(f.resource, f.attribute) for f in found]


def test_tables_of_other_uses_are_no_matter() -> None:
    draft = good()
    draft.add("aws_dynamodb_table.locks", name="locks", hash_key="LockID")
    assert not draft.judged(FAMILY).findings


def test_loki_is_there_with_all_that_it_needs() -> None:
    assert not with_loki().judged(FAMILY).findings


@pytest.mark.parametrize("left", ["aws_s3_bucket.loki", "aws_ssm_parameter.loki"])
def test_what_is_left_of_loki_is_found(left: str) -> None:
    draft = with_loki().without(f"{TASK}.loki", f"{SERVICE}.loki")
    found = {one.resource for one in draft.judged(FAMILY).of("conditional-loki").findings}
    assert left in found


def test_loki_writes_to_a_bucket_of_the_plan() -> None:
    draft = with_loki().put("aws_s3_bucket.loki", "bucket", "shop-other")
    (found,) = only(draft.judged(FAMILY), "conditional-loki")
    assert found.resource == f"{TASK}.loki"
    draft = with_loki().without(f"{SERVICE}.loki")
    assert only(draft.judged(FAMILY), "conditional-loki")[0].resource == f"{TASK}.loki"
    draft = with_loki().put("aws_ssm_parameter.loki", "value", UNKNOWN)
    assert verdicts(draft.judged(FAMILY))["conditional-loki"] is Verdict.SKIP


def test_an_endpoint_of_loki_without_loki_is_found() -> None:
    draft = good()
    draft.containers["grafana"][0]["environment"].append(
        {"name": "LOKI_ENDPOINT", "value": "http://loki.shop.internal:3100"}
    )
    (found,) = only(draft.judged(FAMILY), "conditional-loki")
    assert found.attribute == "container_definitions.0.environment.LOKI_ENDPOINT"


@pytest.mark.parametrize("kind", ["aws_autoscaling_group", "aws_iam_role", "aws_security_group"])
def test_what_is_left_of_the_benchmark_is_found(kind: str) -> None:
    draft = good()
    draft.add(f"{kind}.benchmark", name="shop-benchmark")
    assert only(draft.judged(FAMILY), "conditional-benchmark")[0].resource == f"{kind}.benchmark"
    draft.values[f"{TASK}.benchmark"] = {**draft.task("setup"), "family": "shop-benchmark"}
    draft.containers["benchmark"] = [{"name": "benchmark", "image": "benchmark:1"}]
    assert not draft.judged(FAMILY).findings


def test_a_provider_that_nothing_uses_is_found() -> None:
    draft = good()
    draft.add("aws_ecs_capacity_provider.other", name="shop-other")
    (found,) = only(draft.judged(FAMILY), "conditional-provider")
    assert found.resource == "aws_ecs_capacity_provider.other"
    draft.put(f"{SERVICE}.ui", "capacity_provider_strategy.0.capacity_provider", "shop-other")
    assert not draft.judged(FAMILY).findings


def test_a_parameter_that_nobody_reads_is_found() -> None:
    draft = good()
    draft.containers["history"][1]["secrets"] = []
    (found,) = only(draft.judged(FAMILY), "conditional-parameters")
    assert found.resource == "aws_ssm_parameter.collector_history"
    name = draft["aws_ssm_parameter.collector_history"]["name"]
    draft.containers["history"][1]["environment"] = [{"name": "CONFIG", "value": name}]
    assert not draft.judged(FAMILY).findings


def test_a_log_group_that_nothing_writes_to_is_found() -> None:
    draft = good()
    draft.add("aws_cloudwatch_log_group.old", name="/shop/old", arn="arn:old")
    (found,) = only(draft.judged(FAMILY), "conditional-log-groups")
    assert found.resource == "aws_cloudwatch_log_group.old"
    draft.add("aws_flow_log.main", log_destination="arn:old")
    assert not draft.judged(FAMILY).findings
    draft.put("aws_flow_log.main", "log_destination", UNKNOWN)
    assert verdicts(draft.judged(FAMILY))["conditional-log-groups"] is Verdict.SKIP


@pytest.mark.parametrize(
    ("path", "value"), [("namespace_id", "ns-2"), ("dns_records", [{"type": "AAAA", "ttl": 10}])]
)
def test_a_dns_name_is_in_a_namespace_and_has_an_address(path: str, value: object) -> None:
    draft = good()
    draft.add("aws_service_discovery_private_dns_namespace.main", id="ns-1", name="shop.internal")
    config: dict[str, object] = {
        "namespace_id": "ns-1",
        "dns_records": [{"type": "A", "ttl": 10}],
    }
    draft.add("aws_service_discovery_service.frontend", name="x", arn="arn:x", dns_config=[config])
    draft.put(f"{SERVICE}.frontend", "service_registries", [{"registry_arn": "arn:x"}])
    assert not draft.judged(FAMILY).findings
    config[path] = value
    (found,) = only(draft.judged(FAMILY), "conditional-hosts")
    assert found.attribute.startswith(f"dns_config.0.{path}")


def test_a_dns_name_that_nothing_registers_is_found() -> None:
    draft = good()
    draft.add("aws_service_discovery_private_dns_namespace.main", id="ns-1", name="shop.internal")
    own = draft.add(
        "aws_service_discovery_service.frontend",
        name="temporal-frontend",
        arn="arn:frontend",
        dns_config=[{"namespace_id": "ns-1"}],
    )
    (found,) = only(draft.judged(FAMILY), "conditional-hosts")
    assert found.resource == "aws_service_discovery_service.frontend"
    draft.put(f"{SERVICE}.frontend", "service_registries", [{"registry_arn": own["arn"]}])
    assert not draft.judged(FAMILY).findings
    draft.containers["ui"][0]["environment"].append(
        {"name": "OTHER", "value": "http://other.shop.internal:80/x"}
    )
    (found,) = only(draft.judged(FAMILY), "conditional-hosts")
    assert found.attribute == "container_definitions.0.environment.OTHER"


def test_what_is_not_known_is_not_judged() -> None:
    hidden = good().put(f"{TASK}.history", "container_definitions", UNKNOWN)
    found = verdicts(hidden.judged(FAMILY))
    assert found["conditional-tables"] is Verdict.SKIP
    unsure = good().put(f"{SERVICE}.ui", "capacity_provider_strategy", UNKNOWN)
    assert verdicts(unsure.judged(FAMILY))["conditional-provider"] is Verdict.SKIP
    unsure = good().put("aws_ssm_parameter.collector_history", "arn", UNKNOWN)
    assert verdicts(unsure.judged(FAMILY))["conditional-parameters"] is Verdict.SKIP
    some = {"conditional-loki", "conditional-benchmark"}
    empty = verdicts(Draft().judged(FAMILY))
    assert {rule for rule, verdict in empty.items() if verdict is not Verdict.SKIP} == some

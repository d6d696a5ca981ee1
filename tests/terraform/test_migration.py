"""An environment takes over a flat root, and replaces nothing that holds data."""

import json
import re
import shutil
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from scripts import state_mv
from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from temporal_dsql_deploy.terraform import commands, known
from tests.support.aws import client, log
from tests.support.terraform_env import ROOT, Environment, copy, environment, override

FLAT = Path(__file__).parent / "flat"
MIGRATION = ROOT / "terraform/migration/from-flat"
MOVED = ("moved.tf", "moved_optional.tf", "routes.tf", "removed.tf")
STOPPED = {
    "aws_autoscaling_group",
    "aws_ecs_capacity_provider",
    "aws_ecs_cluster_capacity_providers",
    "aws_ecs_service",
    "aws_launch_template",
    "aws_security_group_rule",
}
"""What the flat root destroys beforehand, beside the group of the instances."""
KEPT = {
    "aws_cloudwatch_log_group",
    "aws_dynamodb_table",
    "aws_ecs_cluster",
    "aws_eip",
    "aws_iam_role",
    "aws_internet_gateway",
    "aws_nat_gateway",
    "aws_opensearch_domain",
    "aws_prometheus_workspace",
    "aws_route_table",
    "aws_service_discovery_http_namespace",
    "aws_subnet",
    "aws_vpc",
    "aws_vpc_endpoint",
}
"""What holds data, or what others know by its address."""
GROUPS = {"aws_security_group"}
RULES = {"aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule"}
RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)"', re.MULTILINE)


def listed(title: str) -> list[str]:
    """The addresses of the README's list below a title."""
    text = (MIGRATION / "README.md").read_text().partition(f"## {title}\n")[2]
    return text.partition("```text\n")[2].partition("\n```")[0].splitlines()


def flat_resources() -> set[str]:
    text = "".join(path.read_text() for path in FLAT.glob("*.tf"))
    return {f"{kind}.{name}" for kind, name in RESOURCE.findall(text)}


def test_every_source_is_in_the_flat_root_or_optional() -> None:
    flat = flat_resources()
    for before, _after in state_mv.moves((MIGRATION / "moved.tf").read_text()):
        assert before.partition("[")[0] in flat
    for address in state_mv.removals((MIGRATION / "removed.tf").read_text()):
        assert address in flat


@pytest.mark.needs("terraform")
def test_every_target_is_in_a_plan_of_dev(tmp_path: Path) -> None:
    example = MIGRATION / "terraform.tfvars.example"
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/temporal-benchmark:v1"
    more = {
        "availability_zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
        "connections": {
            "rate_limiter_enabled": True,
            "reservoir_enabled": True,
            "distributed_conn_lease_enabled": True,
        },
        "benchmark": {"enabled": True},
        "images": {"benchmark": image},
    }
    variables = tmp_path / "flat.tfvars"
    shutil.copy(example, variables)
    plan = known.plan(
        ROOT / "terraform/envs/dev", more, known.Settings(var_files=[variables], known=False)
    )
    addresses = {resource.address for resource in plan.resources}
    text = "".join((MIGRATION / name).read_text() for name in MOVED)
    further = _of_module("module.temporal.module.opensearch", "opensearch/setup-task.tf")
    targets = {further.get(after, after) for _before, after in state_mv.moves(text)}
    assert targets - addresses == set()


def _of_module(address: str, file: str) -> dict[str, str]:
    """The moves of a module of ours, which go on with what comes from elsewhere."""
    moves = state_mv.moves((ROOT / "terraform/modules" / file).read_text())
    return {f"{address}.{before}": f"{address}.{after}" for before, after in moves}


@dataclass
class Flat:
    """The flat root, applied."""

    environment: Environment

    def state(self) -> Any:
        return self.environment.terraform.document(["state", "pull"])

    def stop(self) -> None:
        """The guide's step: what runs is destroyed by the root that made it."""
        rules = [a for a in state_mv.addresses(self.state()) if "security_group_rule" in a]
        targets = ["aws_security_group.ecs_instances", *rules]
        command = commands.destroy()
        self.environment.run([*command, *(f"-target={address}" for address in targets)])

    def empty(self, aws: EmulatedAws) -> None:
        """The guide's step: groups lose the rules that the flat root wrote inside them."""
        for group in ids(self.state(), GROUPS)["aws_security_group"]:
            inside = rules(aws, group)
            for egress, revoke in (
                (False, client(aws, "ec2").revoke_security_group_ingress),
                (True, client(aws, "ec2").revoke_security_group_egress),
            ):
                if found := [rule for rule, outward in inside.items() if outward == egress]:
                    revoke(GroupId=group, SecurityGroupRuleIds=found)


def rules(aws: EmulatedAws, group: str) -> dict[str, bool]:
    """Ids of a group's rules in AWS, and which of them are egress."""
    found = client(aws, "ec2").describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [group]}]
    )
    return {each["SecurityGroupRuleId"]: each["IsEgress"] for each in found["SecurityGroupRules"]}


def changes(environment: Environment) -> dict[str, set[str]]:
    """Addresses by what the saved plan does: create, update, replace, delete, forget."""
    document = environment.terraform.document(commands.show(Path("tfplan")))
    found: dict[str, set[str]] = {}
    for change in document["resource_changes"]:
        actions = change["change"]["actions"]
        action = "replace" if set(actions) == {"create", "delete"} else actions[0]
        if change["mode"] == "managed":
            found.setdefault(action, set()).add(change["address"])
    return found


def ids(state: Any, kinds: set[str]) -> dict[str, set[str]]:
    """Ids by type."""
    found: dict[str, set[str]] = {}
    for resource in state["resources"]:
        if resource["mode"] == "managed" and resource["type"] in kinds:
            for instance in resource["instances"]:
                found.setdefault(resource["type"], set()).add(instance["attributes"]["id"])
    return found


@pytest.mark.needs("terraform")
@pytest.mark.timeout(900)
def test_dev_takes_over_a_flat_root(aws: EmulatedAws, tmp_path: Path) -> None:
    admin = json.dumps({"admin_user": "admin", "admin_password": "rehearsal"})
    client(aws, "secretsmanager").create_secret(Name="grafana/admin", SecretString=admin)
    root = tmp_path / "flat"
    shutil.copytree(FLAT, root)
    override(root, whole=False)
    dev = copy(tmp_path / "repository") / "envs/dev"
    for name in MOVED:
        shutil.copy(MIGRATION / name, dev)
    shutil.copy(MIGRATION / "terraform.tfvars.example", dev)
    with environment(root, aws) as old, environment(dev, aws) as new:
        flat = Flat(old)
        old.apply()
        assert old.plan() == []
        whole = ids(flat.state(), KEPT)

        flat.stop()
        flat.empty(aws)
        stopped = {a.split(".")[0] for a in state_mv.addresses(flat.state())}
        assert stopped.isdisjoint(STOPPED)
        assert ids(flat.state(), KEPT) == whole
        groups = ids(flat.state(), GROUPS)["aws_security_group"]
        # Up to the apply, going back is applying the flat root: its state has not been touched.
        back = old.plan()
        assert {line.split(": ")[1] for line in back} == {"create", "update"}
        backup = tmp_path / "flat.tfstate"
        backup.write_text(json.dumps(flat.state()))

        new.run(["state", "push", str(backup)])
        assert new.plan()
        planned = changes(new)
        assert sorted(old.plan()) == sorted(back)
        patterns = listed("What the apply destroys")
        destroyed = planned["delete"]
        assert [a for a in destroyed if not any(fnmatchcase(a, p) for p in patterns)] == []
        assert [p for p in patterns if not any(fnmatchcase(a, p) for a in destroyed)] == []
        assert planned["replace"] == set(listed("What the apply replaces"))
        assert planned["forget"] == {"aws_security_group.vpc_endpoints"}

        new.run(commands.apply(dev / "tfplan"))
        for name in MOVED:
            (dev / name).unlink()
        assert new.plan() == []
        now = ids(new.terraform.document(["state", "pull"]), KEPT)
        gone = {kind: found - now[kind] for kind, found in whole.items() if found - now[kind]}
        assert gone.pop("aws_iam_role") == {"temporal-dev-ecs-instance"}
        assert len(gone.pop("aws_vpc_endpoint")) == 1  # ec2messages
        assert gone == {}

        # Groups keep their ids, and no rule that Terraform does not know.
        state = new.terraform.document(["state", "pull"])
        written = {rule for found in ids(state, RULES).values() for rule in found}
        now_groups = ids(state, GROUPS)["aws_security_group"]
        for group in now_groups:
            assert set(rules(aws, group)) <= written
        # The one that is forgotten is worn by nothing, so that it can be deleted.
        [forgotten] = groups - now_groups
        for endpoint in client(aws, "ec2").describe_vpc_endpoints()["VpcEndpoints"]:
            # moto goes on listing what is deleted.
            worn = endpoint["State"] != "deleted" and [g["GroupId"] for g in endpoint["Groups"]]
            assert forgotten not in (worn or [])
    assert log(aws) == ""

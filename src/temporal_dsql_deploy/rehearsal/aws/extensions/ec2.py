"""EC2: launch templates and security group rules, of which moto keeps too much and too little."""

from typing import Any

from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule

from temporal_dsql_deploy.rehearsal.aws.extensions.patch import Method, wrap


@wrap(LaunchTemplate)
def create_version(
    original: Method, self: LaunchTemplate, data: dict[str, Any], description: str
) -> LaunchTemplateVersion:
    """moto adds the template's own tags to its data, where the next plan would remove them."""
    kept = [
        each
        for each in data.pop("TagSpecifications", [])
        if each["ResourceType"] != "launch-template"
    ]
    if kept:
        data["TagSpecifications"] = kept
    version: LaunchTemplateVersion = original(self, data, description)
    return version


@wrap(SecurityGroupRule)
def __init__(original: Method, self: SecurityGroupRule, *args: Any, **kwargs: Any) -> None:  # noqa: N807
    """moto keeps the description of a rule about addresses only."""
    original(self, *args, **kwargs)
    ip_range, group, prefix_list = [*args[5:8], None, None, None][:3]
    described = ip_range or group or prefix_list or {}
    vars(self)["own_description"] = described.get("Description")


def _description(self: SecurityGroupRule) -> str | None:
    description: str | None = vars(self).get("own_description")
    return description


SecurityGroupRule.description = property(_description)  # type: ignore[method-assign, assignment]


@wrap(SecurityGroupRule)
def __eq__(_original: Method, self: SecurityGroupRule, other: object) -> bool:  # noqa: N807
    """Two rules are one whatever their descriptions (EC2 API, InvalidPermission.Duplicate)."""
    return isinstance(other, SecurityGroupRule) and _what(self) == _what(other)


def _what(rule: SecurityGroupRule) -> tuple[Any, ...]:
    """What a rule lets through."""
    protocol = str(rule.ip_protocol)
    ports = () if protocol == "-1" else (rule.from_port, rule.to_port)
    addresses = (rule.ip_range.get("CidrIp"), rule.ip_range.get("CidrIpv6"))
    return protocol, ports, addresses, rule.source_group.get("GroupId"), rule.prefix_list_id


@wrap(SecurityGroupBackend)
def modify_security_group_rules(
    original: Method, self: SecurityGroupBackend, group_id: str, rules: dict[str, dict[str, Any]]
) -> None:
    """The same for a change."""
    original(self, group_id, rules)
    group = self.get_security_group_by_name_or_id(group_id)
    for rule_id, changed in rules.items():
        if group and (rule := group.get_rule(rule_id)) and "Description" in changed:
            vars(rule)["own_description"] = changed["Description"]

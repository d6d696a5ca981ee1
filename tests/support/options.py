"""What a user may choose in an environment, and few variable sets that hold every pair of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from random import Random
from typing import Any

from tests.support import plans

Choice = tuple[str, str]
"""An option and the name of one of its values."""
Chosen = Mapping[str, str]
"""A value's name for each option."""

_ROLES = ("history", "matching", "frontend", "worker")
_PRINCIPAL = f"arn:aws:iam::{plans.ACCOUNT}:root"
_WORKSPACE = {
    "arn": plans.WORKSPACE_ARN,
    "id": "ws-theirs",
    "prometheus_endpoint": plans.WORKSPACE_ENDPOINT,
}
_VPC = {
    "vpc_id": plans.VPC_ID,
    "vpc_cidr": "172.16.0.0/16",
    "private_subnet_ids": list(plans.SUBNETS),
}
_ECS = {
    "name": "theirs",
    "arn": plans.ECS_ARN,
    "capacity_provider_name": "their-instances",
    "service_connect_namespace_arn": plans.NAMESPACE_ARN,
    "private_dns_namespace_id": "ns-theirs",
    "private_dns_namespace_name": "theirs.internal",
    "exec_log_group_arn": plans.EXEC_LOG_GROUP_ARN,
    "instance_security_group_id": plans.INSTANCES_GROUP,
}
_DOMAIN = {
    "endpoint": plans.DOMAIN_ENDPOINT,
    "arn": plans.DOMAIN_ARN,
    "security_group_id": plans.DOMAIN_GROUP,
}
_NODES = {"instance_type": "m6g.large.search", "instance_count": 6}
"""As many in each of two zones, and of three."""
_DSQL = {"dsql_cluster_endpoint": plans.DSQL_ENDPOINT, "dsql_cluster_arn": plans.DSQL_ARN}


def _roles(cpu: int, memory: int, replicas: Sequence[int]) -> dict[str, Any]:
    each = zip(_ROLES, replicas, strict=True)
    return {role: {"cpu": cpu, "memory": memory, "replicas": count} for role, count in each}


def _capacity(instance_type: str, count: int, least: int, most: int) -> dict[str, Any]:
    return {
        "instance_type": instance_type,
        "instance_count": count,
        "min_size": least,
        "max_size": most,
    }


OPTIONS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "environment": {name: {} for name in plans.ENVIRONMENTS},
    "nat": {"one": {"nat": "one"}, "per_az": {"nat": "per_az"}, "none": {"nat": "none"}},
    "images": {"public": {}, "own": {"images": plans.OWN_IMAGES}},
    "endpoints": {
        "preset": {},
        "few": {"interface_endpoints": ["ecr.api", "ecr.dkr", "logs"]},
        "no": {"interface_endpoints": []},
        "ec2messages": {"ec2messages_endpoint": True},
    },
    "zones": {
        "two": {
            "availability_zones": ["eu-west-1a", "eu-west-1b"],
            # As many data nodes in each zone: three, which bench and prod have, do not divide.
            "opensearch": {"instance_count": 2},
        },
        "three": {"availability_zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]},
    },
    "address": {"16": {}, "20": {"vpc_cidr": "10.64.0.0/20"}},
    "place": {
        "made": {},
        "their VPC": {"existing_vpc": _VPC, "opensearch": {"instance_count": 2}},
        "their VPC and ECS cluster": {
            "existing_vpc": _VPC,
            "existing_ecs_cluster": _ECS,
            "opensearch": {"instance_count": 2},
        },
    },
    # Tasks, instances and domain go together: too few of one for the others is a finding, and
    # rightly.
    "size": {
        "default": {},
        "small": {
            "roles": _roles(512, 1024, (1, 1, 1, 1)),
            "capacity": _capacity("m7g.xlarge", 6, 3, 9),
        },
        "grown": {
            "roles": _roles(1024, 2048, (6, 4, 3, 2)),
            "capacity": _capacity("c7g.2xlarge", 12, 6, 18),
            "opensearch": _NODES,
        },
        "large": {
            "roles": _roles(2048, 8192, (12, 6, 4, 3)),
            "capacity": _capacity("r7g.4xlarge", 15, 9, 24),
            "opensearch": _NODES,
        },
    },
    "placement": {
        "spread": {},
        # A third of the instances for each workload: those of history alone hold all of its tasks.
        "workload": {
            "placement": "workload",
            "capacity": {"instance_count": 18, "min_size": 9, "max_size": 36},
        },
    },
    "database": {
        "made": {},
        "their": dict(_DSQL),
        "backed up": {"dsql": {"backup": {"enabled": True}, "kms_encryption_key": plans.KEY}},
    },
    "database link": {
        "by NAT": {},
        "private": {"dsql": {"private_link": True}},
        "public": {"dsql": {"private_link": False}},
    },
    "limiter": {
        "default": {},
        "on": {"connections": {"rate_limiter_enabled": True}},
        "off": {"connections": {"rate_limiter_enabled": False}},
    },
    "reservoir": {
        "default": {},
        "on": {"connections": {"reservoir_enabled": True}},
        "off": {
            "connections": {"reservoir_enabled": False, "distributed_conn_lease_enabled": False}
        },
        "small": {
            "connections": {
                "reservoir_enabled": True,
                "reservoir": {"target_ready": 4, "low_watermark": 2, "base_lifetime_seconds": 900},
            }
        },
    },
    "lease": {
        "default": {},
        "on": {"connections": {"reservoir_enabled": True, "distributed_conn_lease_enabled": True}},
        "off": {"connections": {"distributed_conn_lease_enabled": False}},
    },
    "connections": {
        "50": {},
        "20": {"connections": {"max_conns": 20, "rate_share": 0.5}},
        "100": {
            "connections": {
                "max_conns": 100,
                "staggered_startup_seconds": 10,
                "reservoir_enabled": True,
            }
        },
    },
    "shards": {"default": {}, "1024": {"history_shards": 1024}, "16384": {"history_shards": 16384}},
    "log level": {"info": {}, "debug": {"log_level": "debug"}, "error": {"log_level": "error"}},
    "dynamic config": {"1": {}, "10": {"temporal_dynamicconfig_tmpfs_size": 10}},
    "domain": {
        "default": {},
        "six": {"opensearch": _NODES},
        "their": {"opensearch": {"existing_domain": _DOMAIN}},
        "operators": {"opensearch": {"operator_principal_arns": [plans.OPERATOR_ARN]}},
    },
    "collector": {
        "otel": {},
        "otel without Loki": {"telemetry": {"loki_enabled": False}},
        "alloy": {"telemetry": {"collector": "alloy"}},
        "alloy without Loki": {"telemetry": {"collector": "alloy", "loki_enabled": False}},
        "adot": {
            "telemetry": {"collector": "none", "loki_enabled": False, "adot_enabled": True},
        },
        "none": {"telemetry": {"collector": "none", "loki_enabled": False}},
    },
    "Grafana": {
        "on": {},
        "off": {"telemetry": {"grafana_enabled": False}},
        "their secret": {"grafana_admin_secret_name": "theirs/grafana"},
    },
    "workspace": {
        "made": {},
        "their": {"telemetry": {"existing_prometheus_workspace": _WORKSPACE}},
    },
    "flow logs": {
        "REJECT": {},
        "ALL": {"telemetry": {"flow_logs_traffic_type": "ALL"}},
        "off": {"telemetry": {"flow_logs_enabled": False}},
    },
    "UI": {"one": {}, "two": {"ui": {"replicas": 2}}, "off": {"ui": {"enabled": False}}},
    "benchmark": {
        "on": {
            "benchmark": {"enabled": True},
            "images": {"benchmark": plans.OWN_IMAGES["benchmark"]},
        },
        "off": {"benchmark": {"enabled": False}},
    },
    "load balancer": {
        "off": {},
        "on": {"frontend_load_balancer": {"enabled": True}},
        "PrivateLink": {
            "frontend_load_balancer": {
                "enabled": True,
                "certificate_arn": plans.CERTIFICATE,
                "allowed_principals": [_PRINCIPAL],
            }
        },
    },
    "VPN": {
        "off": {},
        "on": {
            "client_vpn": {
                "server_certificate_arn": plans.CERTIFICATE,
                "authentication_options": [
                    {
                        "type": "certificate-authentication",
                        "root_certificate_chain_arn": plans.CERTIFICATE,
                    }
                ],
            }
        },
    },
    "retention": {
        "default": {},
        "1": {"log_retention_days": 1, "telemetry": {"loki_retention_days": 1}},
        "365": {"log_retention_days": 365},
    },
    "insights": {
        "enabled": {},
        "enhanced": {"container_insights": "enhanced"},
        "disabled": {"container_insights": "disabled"},
    },
    "protection": {"on": {"deletion_protection": True}, "off": {"deletion_protection": False}},
    "key": {"made": {}, "their": {"kms_key_arn": plans.KEY}},
    "boundary": {"none": {}, "theirs": {"permissions_boundary_arn": plans.BOUNDARY}},
    "accounts": {"one": {}, "another": {"trusted_account_ids": ["210987654321"]}},
}

EXCLUDED: Mapping[frozenset[Choice], str] = {
    frozenset(pair): why
    for pair, why in (
        ((("nat", "none"), ("images", "public")), "without NAT images come from ECR only"),
        ((("nat", "none"), ("endpoints", "few")), "without NAT every API needs an endpoint"),
        ((("nat", "none"), ("endpoints", "no")), "without NAT every API needs an endpoint"),
        (
            (("nat", "none"), ("database link", "public")),
            "without NAT the public endpoint of DSQL cannot be reached",
        ),
        ((("nat", "none"), ("database", "their")), "needs the service name of its endpoint"),
        ((("database link", "private"), ("database", "their")), "the same"),
        ((("lease", "on"), ("reservoir", "off")), "leases need the reservoir"),
        (
            (("connections", "100"), ("reservoir", "off")),
            "planned, and contract-start-period finds it: so many connects take longer",
        ),
        (
            (("place", "their VPC and ECS cluster"), ("placement", "workload")),
            "instances are not made here",
        ),
        (
            (("place", "their VPC and ECS cluster"), ("benchmark", "on")),
            "its capacity provider cannot be attached",
        ),
        (
            (("environment", "prod"), ("protection", "off")),
            "planned, and dsql-protection finds it: what holds data can be deleted in production",
        ),
    )
}
"""Pairs that Terraform refuses, or that a rule is there to find, and why."""


@dataclass(frozen=True, slots=True)
class Array:
    """Few cases that hold every pair of values of two options that goes together."""

    cases: tuple[Chosen, ...]
    impossible: frozenset[frozenset[Choice]]
    """Pairs that no case can hold: what is excluded, and what follows from it."""


def variables(chosen: Chosen) -> dict[str, Any]:
    """The variables of a case, beside those of terraform.tfvars.example."""
    made: dict[str, Any] = {}
    for option, value in chosen.items():
        made = _merged(made, OPTIONS[option][value])
    return made


def pairs(chosen: Chosen) -> Iterator[frozenset[Choice]]:
    """All pairs of choices in a case."""
    return (frozenset(pair) for pair in combinations(chosen.items(), 2))


@cache
def covering(seed: int) -> Array:
    """Few cases that together hold every pair: greedy, the same for the same seed."""
    chance = Random(seed)  # noqa: S311 - a seed is what makes an array repeatable
    every = list(_all_pairs())
    chance.shuffle(every)
    left = set(every) - set(EXCLUDED)
    impossible = set(EXCLUDED)
    cases: list[Chosen] = []
    # In the order of the list: that of a set is another one in every process.
    for first in every:
        if first not in left:
            continue
        tried = (_completed(first, left, chance) for _ in range(30))
        found = [case for case in tried if case]
        if not found:
            left.discard(first)
            impossible.add(first)
            continue
        best = max(found, key=lambda case: len(left.intersection(pairs(case))))
        left.difference_update(pairs(best))
        cases.append({option: best[option] for option in OPTIONS})
    return Array(tuple(cases), frozenset(impossible))


def _completed(
    first: frozenset[Choice], left: set[frozenset[Choice]], chance: Random
) -> Chosen | None:
    """A case that holds a pair and as many others of those left as one finds; None if stuck."""
    chosen = dict(sorted(first))
    options = [option for option in OPTIONS if option not in chosen]
    chance.shuffle(options)
    for option in options:
        values = [
            value
            for value in OPTIONS[option]
            if not any(frozenset(((option, value), one)) in EXCLUDED for one in chosen.items())
        ]
        if not values:
            return None
        chance.shuffle(values)
        new = {
            value: sum(frozenset(((option, value), one)) in left for one in chosen.items())
            for value in values
        }
        chosen[option] = max(values, key=new.__getitem__)
    return chosen


def _all_pairs() -> Iterator[frozenset[Choice]]:
    for one, other in combinations(OPTIONS, 2):
        for value in OPTIONS[one]:
            yield from (frozenset(((one, value), (other, more))) for more in OPTIONS[other])


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(one)
    for key, value in other.items():
        before = made.get(key)
        both = isinstance(value, Mapping) and isinstance(before, Mapping)
        made[key] = _merged(before, value) if both and isinstance(before, Mapping) else value
    return made

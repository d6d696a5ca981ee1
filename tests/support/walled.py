"""The small good plan of check_plans with its walls: security groups, rules, two endpoints."""

from tests.support.check_plans import PRIVATE, REGION, ROLES, VPC, good
from tests.support.draft import Draft
from tests.support.topology_file import document

INGRESS, EGRESS = "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"
GROUP = "aws_security_group"
PARTIES = (*ROLES, "ui", "grafana", "visibility", "opensearch-setup", "client", "instances")
"""Those that wear a group each; `sg-` and their name is its id, so that a test can be read."""
S3 = "pl-s3"
GRPC = {name: row["ports"]["grpc"] for name, row in document()["roles"].items()}
RING = {name: row["ports"]["membership"] for name, row in document()["roles"].items()}
Flow = tuple[str, str, int]


def flows() -> set[Flow]:
    """Every connection of topology.json between those who are there."""
    data = document()
    ports = {
        **{name: row["ports"] for name, row in data["roles"].items()},
        **{name: row["ports"] for name, row in data["externals"].items()},
    }
    rows = [row for row in data["traffic"] if row["needed"]]
    rows += data["aws"]["traffic"]
    present = set(PARTIES)
    return {
        (row["from"], row["to"], ports[row["to"]][row["port_name"]])
        for row in rows
        if {row["from"], row["to"]} <= present
    }


def walled() -> Draft:
    """A cluster in which everybody reaches whom he must, and nobody else."""
    draft = good()
    draft["aws_vpc.main"]["enable_dns_hostnames"] = True
    draft["aws_launch_template.main"]["vpc_security_group_ids"] = ["sg-instances"]
    for party in (*PARTIES, "logs"):
        draft.add(f"{GROUP}.{label(party)}", id=f"sg-{party}", name=f"x-{party}", vpc_id=VPC)
    draft.outputs["client_security_group_id"] = "sg-client"
    draft.outputs["opensearch_setup"] = {
        "security_group_id": "sg-opensearch-setup",
        "subnet_ids": list(PRIVATE),
    }
    for flow in sorted(flows()):
        let(draft, *flow)
    _apis(draft)
    return draft


def let(draft: Draft, source: str, target: str, port: int) -> None:
    """Rules at both ends."""
    name = rule_name(source, target, port)
    ports = {"ip_protocol": "tcp", "from_port": port, "to_port": port}
    own, other = f"sg-{source}", f"sg-{target}"
    draft.add(
        f"{EGRESS}.{name}", security_group_id=own, referenced_security_group_id=other, **ports
    )
    draft.add(
        f"{INGRESS}.{name}", security_group_id=other, referenced_security_group_id=own, **ports
    )


def let_out(draft: Draft, source: str, port: int, **peer: str) -> str:
    """An egress rule to what is no group; its address."""
    name = f"{label(source)}_out_{port}_{'_'.join(peer)}"
    ports = {"ip_protocol": "tcp", "from_port": port, "to_port": port}
    draft.add(f"{EGRESS}.{name}", security_group_id=f"sg-{source}", **ports, **peer)
    return f"{EGRESS}.{name}"


def rule_name(source: str, target: str, port: int) -> str:
    """What the two rules of a connection are called."""
    return f"{label(source)}_to_{label(target)}_{port}"


def label(party: str) -> str:
    return party.replace("-", "_")


def closed(draft: Draft, source: str, target: str, port: int) -> Draft:
    """The draft without both rules of a connection."""
    name = rule_name(source, target, port)
    return draft.without(f"{INGRESS}.{name}", f"{EGRESS}.{name}")


def _apis(draft: Draft) -> None:
    """An endpoint for logs, a gateway for S3, and NAT for the rest."""
    callers = (*ROLES, "ui", "grafana", "opensearch-setup", "instances")
    draft.add(
        "aws_vpc_endpoint.logs",
        id="vpce-logs",
        vpc_id=VPC,
        service_name=f"com.amazonaws.{REGION}.logs",
        vpc_endpoint_type="Interface",
        private_dns_enabled=True,
        subnet_ids=list(PRIVATE),
        security_group_ids=["sg-logs"],
    )
    draft.add(
        "aws_vpc_endpoint.s3",
        id="vpce-s3",
        vpc_id=VPC,
        service_name=f"com.amazonaws.{REGION}.s3",
        vpc_endpoint_type="Gateway",
        route_table_ids=["rtb-private"],
        prefix_list_id=S3,
    )
    for caller in callers:
        let(draft, caller, "logs", 443)
        let_out(draft, caller, 443, cidr_ipv4="0.0.0.0/0")
    for caller in ("instances", "opensearch-setup"):
        let_out(draft, caller, 443, prefix_list_id=S3)
    for role in ROLES:
        let_out(draft, role, 5432, cidr_ipv4="0.0.0.0/0")

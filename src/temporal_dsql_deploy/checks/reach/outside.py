"""What a party needs outside the VPC, or of gateways, and which egress rules that takes."""

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.model import CannotJudge
from temporal_dsql_deploy.checks.reach import hcl, ways
from temporal_dsql_deploy.checks.reach.calls import public_images
from temporal_dsql_deploy.checks.reach.database import PORT, TASKS, public_endpoint
from temporal_dsql_deploy.checks.reach.needs import HTTPS
from temporal_dsql_deploy.checks.reach.network import UnknownWay
from temporal_dsql_deploy.checks.reach.parties import Party
from temporal_dsql_deploy.checks.reach.survey import Survey
from temporal_dsql_deploy.plan.firewall import Rule, contains

Problem = tuple[str, str, str]
"""Evidence, symptom (empty for the rule's), and what to do (empty for the rule's)."""
_SHOWN = 6


class Outside:
    """Egress that names no group, held against what is called."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey

    def problem(self, rule: Rule, wearers: list[Party]) -> Problem | None:
        """What is wrong with such a rule; None where it is right. Raises CannotJudge."""
        who = "/".join(sorted({party.label for party in wearers}))
        if rule.kind == "prefix_list":
            return self._of_gateway(rule, wearers, who)
        if not rule.anywhere():
            return self._of_addresses(rule, who)
        ports = {port for party in wearers for port in self._ports(party)}
        if not self._is_one_of(rule, ports):
            wanted = f"on {sorted(ports)} alone" if ports else "for nothing"
            said = f"{who} is let out to every address on {_said(rule)}, and needs that {wanted}"
            return said, "", ""
        return self._hanging(rule, wearers)

    def _of_gateway(self, rule: Rule, wearers: list[Party], who: str) -> Problem | None:
        api = self._survey.network.gateway_lists.get(rule.peer)
        if api is None:
            raise CannotJudge(f"the plan has no gateway endpoint with {rule.peer}")
        if not any(api in self._survey.calls[party] for party in wearers):
            return f"{who} does not call {api}", "", ""
        if not self._is_one_of(rule, {HTTPS}):
            return f"{who} is let out to {api} on {_said(rule)}, for {HTTPS}", "", ""
        return None

    def _of_addresses(self, rule: Rule, who: str) -> Problem | None:
        vpcs = [vpc["cidr_block"] for vpc in self._survey.network.vpcs.values()]
        known = [cidr for cidr in vpcs if isinstance(cidr, str)]
        if any(contains(cidr, rule.peer) or contains(rule.peer, cidr) for cidr in known):
            said = f"{who} is let out to {rule.peer}, addresses of the VPC, on {_said(rule)}"
            return said, "", "Name the security group of who is called."
        raise CannotJudge(f"the plan does not say what stands at {rule.peer}")

    @staticmethod
    def _is_one_of(rule: Rule, ports: set[int]) -> bool:
        return rule.protocol in {"tcp", "6"} and rule.ports[0] == rule.ports[1] in ports

    def _ports(self, party: Party) -> set[int]:
        """Ports on which a party may have a use for the internet."""
        found: set[int] = set()
        images = public_images(self._survey.subject, party)
        if images is None or images or any(self._is_public(party, api) for api in self._api(party)):
            found.add(HTTPS)
        users = {*topology.load().roles, "client-vpn", *TASKS}
        if party.name in users and public_endpoint(self._survey):
            found.add(PORT)
        return found

    def _api(self, party: Party) -> tuple[str, ...]:
        return tuple(self._survey.calls[party])

    def _is_public(self, party: Party, api: str) -> bool:
        """Whether a party has to leave the VPC for an API, or may have to."""
        if api == "ec2messages":
            return False
        try:
            if ways.endpoint_of(self._survey, party, api):
                return False
        except UnknownWay:
            return True
        tables = {self._survey.network.table_of(subnet) for subnet in party.subnets}
        gateways = [
            each for each in self._survey.network.endpoints if each.api == api and each.gateway
        ]
        covered = {table for each in gateways for table in each.tables or ()}
        return not (tables and tables <= covered)

    def _hanging(self, rule: Rule, wearers: list[Party]) -> Problem | None:
        """Paths that should name a group or prefix list, and pass by a rule to everywhere alone."""
        survey = self._survey
        if survey.all_walls.unknown:
            return None  # Others may be there.
        hanging: list[str] = []
        fixes: list[str] = []
        for (source, target, port), path in survey.flows.items():
            if source not in wearers or rule not in path.out:
                continue
            if survey.allowed(source, target, port) and all(one.anywhere() for one in path.out):
                hanging.append(f"{source.label} -> {target.label}:{port}")
                closed = type(path)((), path.into)
                fixes.append(hcl.missing_rules(survey.walls, source, target, port, closed))
        for party in wearers:
            apis = sorted(self._by_anywhere(party))
            hanging += [f"{party.label} -> gateway of {api}:{HTTPS}" for api in apis]
        if not hanging:
            return None
        more = f" and {len(hanging) - _SHOWN} more" if len(hanging) > _SHOWN else ""
        said = f"the rule to every address alone opens {', '.join(hanging[:_SHOWN])}{more}"
        return said, "", "\n\n".join(fixes)

    def _by_anywhere(self, party: Party) -> set[str]:
        """APIs behind a gateway that a party calls and whose prefix list no rule of it names."""
        named = {
            rule.peer
            for rule in self._survey.all_walls.of(party.groups, "egress")
            if rule.kind == "prefix_list" and rule.opens(HTTPS)
        }
        tables = {self._survey.network.table_of(subnet) for subnet in party.subnets}
        needed = {api for api, called in self._survey.calls[party].items() if called}
        found: set[str] = set()
        for endpoint in self._survey.network.endpoints:
            identity = endpoint.resource["prefix_list_id"]
            if not endpoint.gateway or endpoint.api not in needed or not isinstance(identity, str):
                continue
            if identity not in named and tables & set(endpoint.tables or ()):
                found.add(endpoint.api)
        return found


def _said(rule: Rule) -> str:
    first, last = rule.ports
    if rule.protocol == "-1":
        return "all ports"
    return f"{rule.protocol} {first}" if first == last else f"{rule.protocol} {first} to {last}"

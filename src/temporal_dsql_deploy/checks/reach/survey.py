"""What all rules of this family ask of a plan, found once."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from temporal_dsql_deploy.checks.model import CannotJudge, Unjudged
from temporal_dsql_deploy.checks.reach.calls import calls
from temporal_dsql_deploy.checks.reach.needs import HTTPS, Flow, Want, ports_of, wants
from temporal_dsql_deploy.checks.reach.network import Network
from temporal_dsql_deploy.checks.reach.parties import Parties, Party
from temporal_dsql_deploy.checks.reach.paths import Passage, passage
from temporal_dsql_deploy.checks.subject import Subject, once
from temporal_dsql_deploy.plan.firewall import Firewall

_CALLED_ONLY = ("endpoint ", "visibility", "database")
"""Parties that AWS runs and that dial nobody."""


class Survey:
    """Parties, network, firewall, and who needs to reach whom."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.network = Network(subject.plan, subject.region)
        self.all_walls: Firewall = subject.firewall
        """All rules."""
        self.walls = _between(subject.firewall, self.network)
        """Those that can matter between parties: not those to the gateways of AWS APIs."""
        self.parties = Parties(subject, self.network)

    @cached_property
    def wants(self) -> Mapping[Flow, Want]:
        """Connections between parties, AWS APIs aside."""
        return wants(self.parties)

    @cached_property
    def calls(self) -> Mapping[Party, Mapping[str, bool]]:
        """AWS APIs of each party, and whether it is known to call them."""
        return {party: calls(self.subject, party) for party in self.parties.known}

    def allowed(self, source: Party, target: Party, port: int) -> bool:
        """Whether a connection is needed, or nothing speaks against it."""
        if target.name.startswith("endpoint ") and port == HTTPS:
            return any(api in self.calls[source] for api in self._apis(target))
        return (source.name, target.name, port) in self.wants

    def _apis(self, target: Party) -> Iterator[str]:
        """APIs of an endpoint, and of the endpoints that wear the same group: all of one wall."""
        for party in self.parties.known:
            shared = set(party.groups) & set(target.groups)
            if shared and party.name.startswith("endpoint "):
                yield party.name.removeprefix("endpoint ")

    def needed(self) -> Iterator[tuple[Party, Party, int, Want]]:
        """All needed connections between parties that are there."""
        for (source, target, port), want in self.wants.items():
            if want.needed:
                for one in self.parties.of(source):
                    for other in self.parties.of(target):
                        yield one, other, port, want

    @cached_property
    def dialling(self) -> tuple[Party, ...]:
        """Parties that could dial others."""
        return tuple(one for one in self.parties.known if not one.name.startswith(_CALLED_ONLY))

    @cached_property
    def flows(self) -> Mapping[tuple[Party, Party, int], Passage]:
        """What is open, of every pair and every port that is listened on."""
        return dict(self.open_in(self.walls))

    def open_in(self, walls: Firewall) -> Iterator[tuple[tuple[Party, Party, int], Passage]]:
        """What would be open with these rules."""
        for target in self.parties.known:
            rules = walls.of(target.groups, "ingress")
            for port in ports_of(target.name).values():
                if not any(rule.opens(port) for rule in rules):
                    continue
                for source in self.dialling:
                    found = passage(walls, source, target, port)
                    if found.open:
                        yield (source, target, port), found

    def unnamed(self, *names: str) -> Iterator[Unjudged]:
        """Parties that cannot be judged; all where none is named."""
        for one in self.parties.nameless:
            if not names or one.name in names:
                yield Unjudged(one.wearer, f"{one.name}: {one.reason}")

    def filters(self) -> Iterator[Unjudged]:
        """Network ACLs, which could close what groups open."""
        for acl in self.subject.plan.of_type("aws_network_acl"):
            yield Unjudged(acl.address, "network ACLs are not looked at, and could close a path")


def _between(walls: Firewall, network: Network) -> Firewall:
    lists = network.gateway_lists
    kept = tuple(r for r in walls.rules if r.kind != "prefix_list" or r.peer not in lists)
    return Firewall(kept, walls.groups, walls.unknown)


@once
def _survey(subject: Subject) -> Survey:
    return Survey(subject)


def survey(subject: Subject) -> Survey:
    """What is known of who is who. Raises CannotJudge where nobody's groups are known."""
    found = _survey(subject)
    if found.parties.known:
        return found
    if any(one.unknown_ids for one in found.parties.nameless):
        raise CannotJudge(
            "security group ids are known only after apply: give a plan with known values "
            "(`dsql-deploy check ENV`) or a state"
        )
    raise CannotJudge("the plan has nothing that wears security groups")

"""What of a state stays when the infrastructure goes: the data, and whatever they stand on.

Terraform destroys a target and everything that depends on it. So what is kept has to be closed the
other way: with a data store stays all that it depends on, as the state says it does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.plan import managed

DATA = {
    "aws_dsql_cluster": "storage by the GB and month; nothing for computing while nobody asks",
    "aws_opensearch_domain": "its instances by the hour, and its volumes",
    "aws_dynamodb_table": "storage by the GB and month",
    "aws_s3_bucket": "storage by the GB and month",
    "aws_backup_vault": "storage of the backups by the GB and month",
    "aws_prometheus_workspace": "storage of the samples by the GB and month",
}
"""Types of what holds data, and what each costs while nothing runs."""
_BESIDE = {
    "aws_s3_bucket_",
    "aws_opensearch_domain_",
    "aws_backup_",
    "aws_dsql_",
    "aws_prometheus_",
    "aws_kms_",
}
"""Beginnings of the types that say how such a thing is kept, and cost nothing: policies, rules."""
_NOTHING = "terraform_data"
"""Of Terraform alone; nothing on AWS."""


@dataclass(frozen=True, slots=True)
class One:
    """One resource instance of a state."""

    address: str
    """With the key of the instance."""
    resource: str
    """Without any key: as `depends_on` names it."""
    type: str
    depends_on: Sequence[str]


@dataclass(frozen=True, slots=True)
class Parting:
    """A state in two parts."""

    kept: Sequence[One]
    gone: Sequence[One]

    @property
    def data(self) -> list[One]:
        """What is kept for its own sake."""
        return [one for one in self.kept if one.type in DATA]

    @property
    def targets(self) -> list[str]:
        """Addresses of what goes, for `terraform plan -destroy -target`."""
        return sorted(one.address for one in self.gone)


def instances(state: Mapping[str, Any]) -> list[One]:
    """The managed resources of a state as `terraform show -json` prints it."""
    return [
        One(one["address"], bare(one["address"]), one["type"], one.get("depends_on", []))
        for one in managed(state)
    ]


def bare(address: str) -> str:
    """An address without the keys of instances, which may hold anything in quotes."""
    made, depth, quoted = [], 0, False
    skip = False
    for letter in address:
        if skip:
            skip = False
        elif quoted and letter == "\\":
            skip = True
        elif letter == '"':
            quoted = not quoted
        elif letter == "[" and not quoted:
            depth += 1
        elif letter == "]" and not quoted:
            depth -= 1
        elif not depth:
            made.append(letter)
    return "".join(made)


def part(found: Sequence[One]) -> Parting:
    """What stays and what goes."""
    needs: dict[str, set[str]] = {}
    names = {one.resource for one in found}
    for one in found:
        # It depends on data sources too, which are nobody's.
        needs.setdefault(one.resource, set()).update(names & set(one.depends_on))
    data = {one.resource for one in found if one.type in DATA}
    kept = _closed(data, needs)
    # A bucket without its encryption would be another bucket. But no policy is worth the roles
    # that it names: it is made anew with them.
    kept |= {
        one.resource
        for one in found
        if _is_beside(one) and needs[one.resource] & data and needs[one.resource] <= kept
    }
    free = {
        one.resource
        for one in found
        if one.type == _NOTHING and needs[one.resource] and needs[one.resource] <= kept
    }
    kept |= free
    return Parting(
        [one for one in found if one.resource in kept],
        [one for one in found if one.resource not in kept],
    )


def _is_beside(one: One) -> bool:
    return any(one.type.startswith(beginning) for beginning in _BESIDE)


def _closed(wanted: set[str], needs: Mapping[str, set[str]]) -> set[str]:
    """These and all that they depend on; what is no resource of the state is passed over."""
    found: set[str] = set()
    left = list(wanted)
    while left:
        name = left.pop()
        if name not in found and name in needs:
            found.add(name)
            left += needs[name]
    return found

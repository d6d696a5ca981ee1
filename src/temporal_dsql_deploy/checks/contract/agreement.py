"""Settings on which the roles of one cluster must agree."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import Place, ours
from temporal_dsql_deploy.checks.contract.values import quoted
from temporal_dsql_deploy.checks.model import CannotJudge, Said, Unjudged
from temporal_dsql_deploy.checks.subject import Subject


@cache
def variables() -> Mapping[str, str]:
    """What is seen where roles differ in a variable, by its name."""
    text = Path(__file__).with_name("agreement.json").read_bytes()
    found: Mapping[str, str] = json.loads(text)["variables"]
    return found


def effective(place: Place, name: str) -> str:
    """What a role takes: the value, or the default; a bool as true or false."""
    known = topology.load().environment.get(name)
    default = "" if known is None or known.default is None else f"{known.default}".lower()
    text = place.value(name) or default
    if known is not None and known.type == "bool":
        return {"1": "true", "0": "false"}.get(text, text)
    return text


def odd_ones(places: Sequence[Place], name: str) -> Iterator[tuple[Place, str]]:
    """Servers whose value is not the one that most have, each with that one."""
    told = [(place, effective(place, name)) for place in places if name in _of(place)]
    if not told or name in {secret for place in places for secret in place.container.secrets}:
        return
    values = Counter(effective(place, name) for place in places)
    usual = values.most_common(1)[0][0]
    for place in places:
        if effective(place, name) != usual:
            yield place, usual


def _of(place: Place) -> Mapping[str, str]:
    return place.container.environment


@FAMILY.rule(
    "agree",
    holds="All roles have the same value for what they share: stores, dynamic configuration, "
    "limits and tables.",
    symptom="One role works against another store, or counts elsewhere, than the others.",
    fix="Give all roles one value.",
    source="temporalio/temporal common/config; Temporal-DSQL plugin source at cf90c57",
)
def agree(subject: Subject) -> Iterator[Said]:
    """The value that most roles have is taken for the one that is meant."""
    places: list[Place] = []
    for place in ours(subject):
        if isinstance(place, Unjudged):
            yield place
        else:
            places.append(place)
    if len(places) < 2:
        raise CannotJudge("there are no two servers to compare")
    for name, symptom in variables().items():
        for place, usual in odd_ones(places, name):
            given = quoted(place.value(name))
            yield place.variable(
                name, f"{name} is {given}, in the other roles {quoted(usual)}", symptom
            )

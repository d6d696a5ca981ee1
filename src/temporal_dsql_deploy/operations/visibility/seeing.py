"""What an OpenSearch says of the visibility index and of what the index stands on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.visibility import calls
from temporal_dsql_deploy.visibility.domain import Domain
from temporal_dsql_deploy.visibility.expected import AUTO_CREATE, matches

_MOST_EXPLAINED = 3
_DEFAULT = "true"
"""Of action.auto_create_index (OpenSearch, AutoCreateIndex)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Its answers, as far as they matter."""

    version: str
    health: str
    unassigned: int
    """Shards of all indexes that have no place."""
    explained: list[str]
    """Why some of those have none, a sentence each."""
    auto_create: str
    """action.auto_create_index as it is in force."""
    transient: bool
    """Whether that is a transient setting, which goes before the persistent one."""
    template: Mapping[str, Any] | None
    """What GET _template answers."""
    overriding: list[str]
    """Composable templates that match the index: with one of them no legacy template counts."""
    indices: Mapping[str, Mapping[str, Any]]
    """Rows of GET _cat/indices, by index."""
    index: Mapping[str, Any] | None
    """What GET on the index answers."""


def see(domain: Domain, name: str) -> Seen:
    """Ask for everything. Raises what Domain.ask does."""
    health = domain.ask(calls.health())
    auto_create, transient = _auto_create(domain.ask(calls.settings()))
    return Seen(
        version=_version(domain.ask(calls.information())),
        health=health["status"],
        unassigned=health["unassigned_shards"],
        explained=explain(domain) if health["unassigned_shards"] else [],
        auto_create=auto_create,
        transient=transient,
        template=domain.find(calls.template()),
        overriding=_overriding(domain.find(calls.composable_templates()), name),
        indices={row["index"]: row for row in domain.ask(calls.indices())},
        index=domain.find(calls.look(name)),
    )


def explain(domain: Domain) -> list[str]:
    """Why shards have no place, primaries first. Raises what Domain.ask does."""
    rows = [row for row in domain.ask(calls.shards()) if row["state"] == "UNASSIGNED"]
    rows.sort(key=lambda row: (row["prirep"] != "p", row["index"], int(row["shard"])))
    told = []
    for row in rows[:_MOST_EXPLAINED]:
        primary = row["prirep"] == "p"
        call = calls.explain(row["index"], int(row["shard"]), primary=primary)
        # It may have found a place meanwhile.
        answer = domain.find(call) or {}
        kind = "primary" if primary else "replica"
        told.append(f"{kind} {row['shard']} of {row['index']}: {_reason(row, answer)}")
    beyond = len(rows) - len(told)
    return [*told, f"and {beyond} more shards"] if beyond else told


def _reason(row: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    deciders = [
        str(decider["explanation"])
        for node in answer.get("node_allocation_decisions", [])
        for decider in node.get("deciders", [])
        if decider.get("decision") == "NO"
    ]
    said = list(dict.fromkeys(deciders)) or [str(answer.get("allocate_explanation", ""))]
    return f"{row.get('unassigned.reason') or 'unassigned'}; {'; '.join(filter(None, said))}"


def _version(answer: Mapping[str, Any]) -> str:
    version = answer["version"]
    return f"{version.get('distribution', 'elasticsearch')} {version['number']}"


def _auto_create(answer: Mapping[str, Any]) -> tuple[str, bool]:
    for kind in ("transient", "persistent"):
        value = answer.get(kind, {}).get(AUTO_CREATE)
        if value is not None:
            return str(value), kind == "transient"
    return _DEFAULT, False


def _overriding(answer: Mapping[str, Any] | None, name: str) -> list[str]:
    found = (answer or {}).get("index_templates", [])
    return [one["name"] for one in found if matches(name, one["index_template"]["index_patterns"])]

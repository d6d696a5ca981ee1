"""What is wrong with what an OpenSearch says, and what would mend it: pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from temporal_dsql_deploy.operations.visibility.result import (
    Finding,
    IndexField,
    Request,
    VisibilityStatus,
)
from temporal_dsql_deploy.operations.visibility.seeing import Seen
from temporal_dsql_deploy.visibility import calls, index
from temporal_dsql_deploy.visibility.calls import Call
from temporal_dsql_deploy.visibility.expected import AUTO_CREATE, creates
from temporal_dsql_deploy.visibility.index import TEMPLATE, Difference

_OLDEST = 2
"""OpenSearch 2 (docs.temporal.io, self-hosted guide, Elasticsearch visibility)."""
_SETUP = "make it: dsql-deploy visibility setup ENV"
_REPAIR = "mend it: dsql-deploy visibility repair ENV"
_REBUILD = (
    "it cannot be changed in an index that is there; what is to be done instead: dsql-deploy "
    "visibility repair ENV"
)


class Cure(Enum):
    """Who can mend it."""

    PREPARE = auto()
    """setup and repair: what an index stands on."""
    CREATE = auto()
    """setup: the index itself."""
    RESUME = auto()
    """repair: what one that was stopped half way has left behind."""
    ADD = auto()
    """repair: what an index can still get."""
    REBUILD = auto()
    """repair, in an index that is empty; else a new index."""
    OTHER = auto()
    """Somebody, by hand."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A finding, and what would mend it."""

    finding: Finding
    cure: Cure
    call: Call | None = None
    """Which mends it, where one does."""


def faults(request: Request, seen: Seen) -> list[Fault]:
    """Everything wrong, in the order in which it has to be mended."""
    return [
        *_cluster(seen),
        *_name(request, seen),
        *_setting(request, seen),
        *_template(request, seen),
        *_index(request, seen),
    ]


def _other(what: str, expected: str, found: str, fix: str) -> Fault:
    return Fault(Finding(what, expected, found, fix), Cure.OTHER)


def _cluster(seen: Seen) -> Iterator[Fault]:
    if seen.health == "red":
        why = "; ".join(seen.explained) or f"{seen.unassigned} shards have no place"
        yield _other(
            "cluster health",
            "green or yellow",
            f"red: {why}",
            "give those shards a place again (nodes, disks, settings of the index), or restore or "
            "delete their index",
        )
    found = re.fullmatch(r"opensearch (\d+)[.].*", seen.version)
    if found and int(found[1]) < _OLDEST:
        yield _other(
            "version",
            f"opensearch {_OLDEST} or later",
            seen.version,
            "upgrade the domain: engine_version of its Terraform",
        )


def _name(request: Request, seen: Seen) -> Iterator[Fault]:
    if not request.expected.is_for(request.index):
        yield _other(
            f"name {request.index}",
            " or ".join(request.expected.patterns()),
            request.index,
            "give the server an index whose name the template is for: "
            "opensearch_visibility_index of its Terraform",
        )
    for name in seen.overriding:
        yield _other(
            f"index template {name}",
            f"none that matches {request.index}",
            "a composable template: with it the server's own, a legacy one, counts for nothing",
            "let its index_patterns leave the index out, or delete it: "
            f"{Call('DELETE', f'/_index_template/{name}')}",
        )


def _setting(request: Request, seen: Seen) -> Iterator[Fault]:
    if not creates(seen.auto_create, request.index):
        return
    what = f"setting {AUTO_CREATE}"
    if seen.transient:
        unset = calls.put_settings({"transient": {AUTO_CREATE: None}})
        found = f"{seen.auto_create}, as a transient setting"
        fix = f"take it back: {unset}; then: dsql-deploy visibility setup ENV"
        yield _other(what, "false", found, fix)
        return
    finding = Finding(what, "false", seen.auto_create, _SETUP)
    yield Fault(finding, Cure.PREPARE, calls.put_settings(request.expected.settings))


def _template(request: Request, seen: Seen) -> Iterator[Fault]:
    write = calls.put_template(request.expected.template)
    if seen.template is None:
        patterns = ", ".join(request.expected.patterns())
        finding = Finding(f"template {TEMPLATE}", f"one for {patterns}", "", _SETUP)
        yield Fault(finding, Cure.PREPARE, write)
        return
    there = seen.template[TEMPLATE]["index_patterns"]
    if sorted(there) != sorted(request.expected.patterns()):
        patterns = ", ".join(request.expected.patterns())
        finding = Finding("template: index_patterns", patterns, ", ".join(there), _SETUP)
        yield Fault(finding, Cure.PREPARE, write)
    for one in template_differences(request, seen):
        finding = Finding(f"template: {one.what}", one.expected, one.found, _SETUP)
        yield Fault(finding, Cure.PREPARE, write)


def template_differences(request: Request, seen: Seen) -> list[Difference]:
    """In what a template that is there is not as expected."""
    if seen.template is None:
        return []
    return index.differences(request.expected.definition(), index.template(seen.template))


def _index(request: Request, seen: Seen) -> Iterator[Fault]:
    if seen.index is None:
        others = _alike(request, seen)
        found = f"others are there: {', '.join(others)}" if others else ""
        finding = Finding(f"index {request.index}", "an index of this name", found, _SETUP)
        yield Fault(finding, Cure.CREATE, calls.create(request.index))
        return
    if len(seen.index) > 1:
        yield _other(
            f"index {request.index}",
            "one index",
            f"an alias of {len(seen.index)}: {', '.join(sorted(seen.index))}",
            "let the alias lead to one index: the server writes there",
        )
        return
    ((name, document),) = seen.index.items()
    yield from _state(name, seen, document)
    wrong = index.differences(request.expected.definition(), index.index(seen.index))
    fix = _REPAIR if all(one.addable for one in wrong) else _REBUILD
    for one in wrong:
        cure = Cure.ADD if one.addable else Cure.REBUILD
        finding = Finding(one.what, one.expected, one.found, fix)
        yield Fault(finding, cure, calls.put_mapping(name, request.expected.template["mappings"]))


def _alike(request: Request, seen: Seen) -> list[str]:
    """Indexes of other names that may have been meant."""
    return [
        name
        for name in sorted(seen.indices)
        if not name.startswith(".") and ("visibility" in name or request.expected.is_for(name))
    ]


def _state(name: str, seen: Seen, document: dict[str, Any]) -> Iterator[Fault]:
    left = calls.REPAIR in document.get("aliases", {})
    if seen.indices.get(name, {}).get("status") == "close":
        opened = Call("POST", f"/{name}/_open")
        yield _other(f"index {name}", "open", "closed", f"open it: {opened}")
    for setting, value in document["settings"].items():
        if setting.startswith("index.blocks.") and str(value).lower() == "true":
            if left and setting == calls.WRITE_BLOCK:
                found = "true: a repair that was stopped half way has set it"
                finding = Finding(f"setting {setting}", "false", found, _REPAIR)
                yield Fault(finding, Cure.RESUME, calls.block_writes(name, blocked=False))
                continue
            taken = Call("PUT", f"/{name}/_settings", {setting: None})
            yield _other(
                f"setting {setting}",
                "false",
                "true: what the server writes is refused",
                f"see to what has set it (a full disk does), then: {taken}",
            )
    if left:
        # After the block, which nobody could tell from another's without it.
        found = "there: a repair was stopped half way"
        finding = Finding(f"alias {calls.REPAIR}", "", found, _REPAIR)
        yield Fault(finding, Cure.RESUME, calls.unmark_repair(name))


def status(request: Request, seen: Seen) -> VisibilityStatus:
    """The whole of it."""
    found = faults(request, seen)
    one = seen.index if seen.index is not None and len(seen.index) == 1 else None
    name = next(iter(one)) if one else ""
    row = seen.indices.get(name, {})
    there = index.index(one) if one else None
    documents = row.get("docs.count")
    return VisibilityStatus(
        environment=request.environment,
        url=request.domain.url,
        version=seen.version,
        health=seen.health,
        unassigned_shards=seen.unassigned,
        expected=request.expected.source,
        auto_create_index=seen.auto_create,
        template=_template_state(request, seen),
        index=request.index,
        stored_in=name,
        documents=int(documents) if documents is not None else None,
        shards=f"{row['pri']} + {row['rep']}" if row else "",
        fields=_fields(request, there.fields if there else {}),
        further_fields=further_fields(request, seen),
        sort={key: index.shown(value) for key, value in there.sort.items()} if there else {},
        findings=[one.finding for one in found],
        warnings=_warnings(seen),
        ok=not found,
    )


def _template_state(request: Request, seen: Seen) -> str:
    if seen.template is None:
        return "missing"
    return "different" if any(_template(request, seen)) else "as expected"


def _fields(request: Request, there: Any) -> list[IndexField]:
    return [
        IndexField(
            name=name,
            expected=index.shown(expected),
            found=index.shown(there[name]) if name in there else "",
            ok=there.get(name) == expected,
        )
        for name, expected in request.expected.definition().fields.items()
    ]


def further_fields(request: Request, seen: Seen) -> list[str]:
    """Fields of the index that the template does not have."""
    if seen.index is None or len(seen.index) > 1:
        return []
    expected = request.expected.definition().fields
    return sorted(set(index.index(seen.index).fields) - set(expected))


def _warnings(seen: Seen) -> list[str]:
    if seen.health != "yellow":
        return []
    why = "; ".join(seen.explained) or f"{seen.unassigned} shards"
    return [f"health is yellow, so the loss of a node loses data: {why}"]

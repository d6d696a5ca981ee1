"""The calls of OpenSearch's REST API that are made, as data: what --dry-run shows is what is sent.

Amazon OpenSearch Service takes all of them, and settings in their flat form alone (its developer
guide, supported operations).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from temporal_dsql_deploy.visibility import index

REPAIR = "dsql_deploy_repair"
"""Alias of an index that a repair has closed to writes."""
WRITE_BLOCK = "index.blocks.write"


@dataclass(frozen=True, slots=True)
class Call:
    """One call."""

    method: str
    path: str
    """With the query."""
    body: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        """As OpenSearch's console takes it, in one line."""
        told = f"{self.method} {self.path}"
        return told if self.body is None else f"{told} {json.dumps(self.body)}"


def information() -> Call:
    """Distribution and version."""
    return Call("GET", "/")


def health() -> Call:
    """Green, yellow or red, and how many shards have no place."""
    return Call("GET", "/_cluster/health")


def shards() -> Call:
    """Where each shard of each index is."""
    columns = ("index", "shard", "prirep", "state", "unassigned.reason")
    return Call("GET", f"/_cat/shards?format=json&h={_list(columns)}")


def explain(name: str, shard: int, *, primary: bool) -> Call:
    """Why a shard has no place."""
    body = {"index": name, "shard": shard, "primary": primary}
    return Call("POST", "/_cluster/allocation/explain", body)


def settings() -> Call:
    """The settings of the cluster that are not the defaults."""
    return Call("GET", "/_cluster/settings?flat_settings=true")


def put_settings(body: Mapping[str, Any]) -> Call:
    """Change settings of the cluster."""
    return Call("PUT", "/_cluster/settings", body)


def template() -> Call:
    """The template, a legacy one: that is what the server's tool writes."""
    return Call("GET", f"/_template/{index.TEMPLATE}?flat_settings=true")


def put_template(body: Mapping[str, Any]) -> Call:
    """Write the template."""
    return Call("PUT", f"/_template/{index.TEMPLATE}", body)


def composable_templates() -> Call:
    """The templates of the newer kind: one that matches puts every legacy one aside."""
    return Call("GET", "/_index_template")


def indices() -> Call:
    """All indexes, with their documents."""
    columns = ("index", "health", "status", "docs.count", "pri", "rep")
    return Call("GET", f"/_cat/indices?expand_wildcards=all&format=json&h={_list(columns)}")


def look(name: str) -> Call:
    """An index, or those behind an alias."""
    return Call("GET", f"/{_name(name)}?flat_settings=true")


def create(name: str, further: Mapping[str, Any] | None = None) -> Call:
    """Make an index from the templates that match its name, with further fields."""
    body = {"mappings": {"properties": further}} if further else None
    return Call("PUT", f"/{_name(name)}", body)


def put_mapping(name: str, mapping: Mapping[str, Any]) -> Call:
    """Add fields, or set options; a field that is there with another type is refused."""
    return Call("PUT", f"/{_name(name)}/_mapping", mapping)


def block_writes(name: str, *, blocked: bool) -> Call:
    """Let nobody write documents, or again."""
    return Call("PUT", f"/{_name(name)}/_settings", {WRITE_BLOCK: blocked or None})


def mark_repair(name: str) -> Call:
    """Leave a sign that a repair closes it to writes: a block itself does not tell whose it is."""
    return Call("PUT", f"/{_name(name)}/_alias/{REPAIR}")


def unmark_repair(name: str) -> Call:
    """Take that sign away."""
    return Call("DELETE", f"/{_name(name)}/_alias/{REPAIR}")


def refresh(name: str) -> Call:
    """Let what has been written be counted."""
    return Call("POST", f"/{_name(name)}/_refresh")


def count(name: str) -> Call:
    """How many documents it has."""
    return Call("GET", f"/{_name(name)}/_count")


def delete(name: str) -> Call:
    """Delete it with all documents."""
    return Call("DELETE", f"/{_name(name)}")


def reindex(source: str, destination: str) -> Call:
    """Copy documents into another index, in the background.

    Temporal writes each document with a version of its own that only grows
    (temporalio/temporal common/persistence/visibility/store/elasticsearch, VersionTypeExternal): a
    copy that is older than what is there already is left out, and is no failure.
    """
    body = {
        "conflicts": "proceed",
        "source": {"index": source},
        "dest": {"index": destination, "version_type": "external"},
    }
    return Call("POST", "/_reindex?wait_for_completion=false", body)


def move_alias(alias: str, source: str, destination: str) -> Call:
    """Let an alias lead to another index, at one moment."""
    actions = [
        {"remove": {"index": source, "alias": alias}},
        {"add": {"index": destination, "alias": alias}},
    ]
    return Call("POST", "/_aliases", {"actions": actions})


def _list(words: Sequence[str]) -> str:
    """Botocore signs a query as it stands, and AWS signs it with its commas encoded."""
    return quote(",".join(words), safe="")


def _name(name: str) -> str:
    return quote(name, safe="")

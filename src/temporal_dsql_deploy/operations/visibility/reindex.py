"""The way from an index that cannot be mended to one that is right, as steps for somebody.

It is not gone by this tool: on the way the servers are told another name and are restarted.
"""

import re
from typing import Any

from temporal_dsql_deploy.operations.visibility.judge import further_fields
from temporal_dsql_deploy.operations.visibility.result import Request, Step
from temporal_dsql_deploy.operations.visibility.seeing import Seen
from temporal_dsql_deploy.visibility import calls
from temporal_dsql_deploy.visibility.calls import Call

_TYPES = {"boolean", "date_nanos", "keyword", "long", "scaled_float", "text"}
"""Of custom search attributes (temporalio/temporal common/persistence/visibility/store/
elasticsearch/client/client_v7.go, buildMappingBody)."""
_NUMBER = re.compile(r"(?P<stem>.*)_(?P<number>\d+)")


def search_attributes(request: Request, seen: Seen) -> dict[str, Any]:
    """The fields of custom search attributes that the index has, as the server would write them.

    A field that OpenSearch has guessed from a document has another field within, and is none.
    """
    ((_, document),) = (seen.index or {}).items()
    properties: dict[str, Any] = document.get("mappings", {}).get("properties", {})
    further = further_fields(request, seen)
    return {
        name: field
        for name, field in properties.items()
        if name in further and field.get("type") in _TYPES and "fields" not in field
    }


def steps(request: Request, seen: Seen, name: str) -> list[Step]:
    """From the index `name`, with its documents, to a new one; that one stays until the end."""
    if not request.movable:
        return [
            Step(
                "This cluster's servers have one index only. Begin with an empty one, which lists "
                "no workflow of before: dsql-deploy down ENV, delete the folder opensearch in its "
                "data directory, then dsql-deploy up ENV"
            )
        ]
    new = _free(name, seen)
    copy = calls.reindex(name, new)
    return [
        _step(
            f"Make {new} from the template, with the custom search attributes of {name}. Those "
            "that the server knows and the index does not: temporal operator search-attribute list",
            calls.create(new, search_attributes(request, seen)),
        ),
        Step(f"See that it is right: dsql-deploy visibility status ENV --index {new}"),
        _step(
            "Copy what is there. It goes on in the background; the answer names a task to be asked "
            "for, and what fails is listed there.",
            copy,
            Call("GET", "/_tasks/TASK"),
        ),
        _move(request, name, new),
        _step(
            f"Copy again: what was written to {name} meanwhile. Temporal gives each document a "
            f"version that only grows, so what is newer in {new} stays as it is.",
            copy,
            Call("GET", "/_tasks/TASK"),
        ),
        _step(
            "Compare. The old one may have a few more, of workflows whose retention ended between "
            "the copies; the new one may list some of those, which are not found any more when "
            "they are opened.",
            calls.refresh(new),
            calls.count(name),
            calls.count(new),
        ),
        _step(
            f"When lists are right for as long as you want to be able to go back, delete {name}.",
            calls.delete(name),
        ),
    ]


def _step(text: str, *made: Call) -> Step:
    return Step(text, [str(call) for call in made])


def _move(request: Request, name: str, new: str) -> Step:
    if name != request.index:
        return _step(
            f"Let the alias {request.index} lead to {new}: servers need not be restarted.",
            calls.move_alias(request.index, name, new),
        )
    return Step(
        f'Move the servers: opensearch_visibility_index = "{new}" in the variables of the '
        "Terraform, dsql-deploy plan ENV, then apply; all four roles are replaced. From then on "
        f"lists show what is in {new}, and both are written to until the last role is replaced."
    )


def _free(name: str, seen: Seen) -> str:
    """A name like this one that no index has, and that the template is for."""
    found = _NUMBER.fullmatch(name)
    stem, number = (found["stem"], int(found["number"])) if found else (name, 1)
    while True:
        number += 1
        made = f"{stem}_{number}"
        if made not in seen.indices:
            return made

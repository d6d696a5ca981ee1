"""What a Terraform that was stopped has left, found by states and tags."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.operations.staged import leftovers
from temporal_dsql_deploy.operations.staged.leftovers import Orphan

_OURS = {"Project": "temporal-dev", "Environment": "dev"}


def _resource(kind: str, name: str, **more: Any) -> dict[str, Any]:
    values = {"id": name, "tags_all": {**_OURS, "Name": name}}
    return {"address": f"{kind}.{name}", "mode": "managed", "type": kind, "values": values, **more}


def _state(*resources: Mapping[str, Any]) -> dict[str, Any]:
    """The last of them in a module."""
    children = [{"resources": list(resources[-1:])}]
    return {
        "values": {"root_module": {"resources": list(resources[:-1]), "child_modules": children}}
    }


def test_what_holds_data_and_was_made_half_way_is_named() -> None:
    state = _state(
        _resource("aws_vpc", "one", tainted=True),
        _resource("aws_cloudwatch_log_group", "logs"),
        _resource("aws_dsql_cluster", "store", tainted=True),
    )
    assert leftovers.half_made(state) == ["aws_dsql_cluster.store"]
    assert leftovers.half_made({}) == []


def test_the_tags_are_those_that_all_have() -> None:
    no_tags = {**_resource("aws_route", "r"), "values": {"id": "r"}}
    assert leftovers.tags(
        _state(_resource("aws_vpc", "a"), no_tags, _resource("aws_eip", "b"))
    ) == (dict(sorted(_OURS.items())))
    assert leftovers.tags(_state(no_tags)) == {}


def test_each_has_the_command_that_removes_it() -> None:
    state = _state(_resource("aws_vpc", "vpc-1"))
    found = leftovers.unknown(
        state,
        [
            ("vpc", "vpc-1"),
            ("vpc", "vpc-2"),
            ("vpc-elastic-ip", "eipalloc-3"),
            ("instance", "i-4"),
            ("dsql-cluster", "abc"),
        ],
    )
    assert [one.remove for one in found] == [
        (
            "aws dsql update-cluster --no-deletion-protection-enabled --identifier abc && "
            "aws dsql delete-cluster --identifier abc"
        ),
        "aws ec2 release-address --allocation-id eipalloc-3",
        "aws ec2 delete-vpc --vpc-id vpc-2",
    ]


@given(
    st.sets(st.tuples(st.sampled_from(["vpc", "subnet", "instance"]), st.uuids().map(str))),
    st.data(),
)
def test_those_of_the_state_are_never_named_and_others_always(
    found: set[tuple[str, str]], data: st.DataObject
) -> None:
    known = data.draw(st.sets(st.sampled_from(sorted(found)))) if found else set()
    state = _state(*(_resource(f"aws_{kind}", name) for kind, name in sorted(known)))
    expected = {Orphan(*one) for one in found - known if one[0] != "instance"}
    assert set(leftovers.unknown(state, found)) == expected

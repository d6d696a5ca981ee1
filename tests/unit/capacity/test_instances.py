"""What ECS can place on an instance, by its type."""

import re

import pytest

from temporal_dsql_deploy.capacity import needs
from temporal_dsql_deploy.capacity.instances import instance_types, larger


@pytest.mark.parametrize(
    ("name", "cpu", "without", "with_trunk"),
    [
        ("m7g.large", 2048, 2, 9),
        ("m8g.xlarge", 4096, 3, 18),
        ("m7g.2xlarge", 8192, 3, 38),
        ("m8g.4xlarge", 16384, 7, 54),
        ("t4g.large", 2048, 2, 2),
    ],
)
def test_tasks_of_awsvpc_on_an_instance(name: str, cpu: int, without: int, with_trunk: int) -> None:
    found = instance_types()[name]
    assert found.room(trunking=False).cpu == cpu
    assert found.room(trunking=False).interfaces == without
    assert found.room(trunking=True).interfaces == with_trunk


@pytest.mark.parametrize(
    ("name", "reported"),
    # What instances of as much memory were seen to register; see the sources in the file.
    [("m7g.large", 7679), ("m7g.large", 7820), ("r7g.xlarge", 31_704)],
)
def test_no_more_memory_is_counted_on_than_instances_register(name: str, reported: int) -> None:
    assert instance_types()[name].registered_mib <= reported


def test_every_type_is_graviton_and_has_room() -> None:
    types = instance_types()
    assert len(types) > 100
    for name, each in types.items():
        assert re.fullmatch(r"[a-z]+[0-9]+g[a-z]*[.][0-9a-z]+", name)
        assert 0 < each.registered_mib < each.memory_mib
        assert each.room(trunking=False).interfaces >= 1
        assert each.room(trunking=True).interfaces >= each.room(trunking=False).interfaces


def test_larger_types_are_of_the_same_family_from_small_to_large() -> None:
    names = [each.name for each in larger("m7g.large")]
    assert names[:2] == ["m7g.xlarge", "m7g.2xlarge"]
    assert "m7g.medium" not in names


def test_fargate_has_certain_pairs_only() -> None:
    assert needs.fargate_memory(256) == (512, 1024, 2048)
    assert needs.fargate_memory(1024)[:2] == (2048, 3072)
    assert needs.fargate_memory(300) == ()


def test_what_is_not_known_of_is_asked_nothing() -> None:
    assert needs.memory_mib("ui") == (0, "")
    assert needs.memory_mib("server")[0] > 104

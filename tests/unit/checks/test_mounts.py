"""Rules about tmpfs and volumes, on a plan made by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.checks.mounts import DYNAMIC_CONFIG, FAMILY
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import ROLES, good
from tests.support.draft import ABSENT, SERVICE, TASK, Break, Draft, every, only, verdicts

TMPFS = "linuxParameters.tmpfs"
RIGHT = ("uid=1000", "gid=1000", "noexec", "nosuid")
BREAKS = [
    *(
        Break(
            "mounts-dynamic-config",
            f"{role}/0",
            TMPFS,
            ([], ABSENT, [{"containerPath": "/tmp", "size": 1, "mountOptions": list(RIGHT)}]),
        )
        for role in ROLES
    ),
    *(
        Break(
            "mounts-dynamic-config",
            f"{role}/0",
            f"{TMPFS}.0.mountOptions",
            (
                *([o for o in RIGHT if o != gone] for gone in RIGHT),
                [],
                ["uid=0", *RIGHT[1:]],
                [*RIGHT, "mode=0555"],
                [*RIGHT, "changed-mode=0755"],
                [*RIGHT, ""],
            ),
        )
        for role in ROLES
    ),
    *(
        Break("mounts-dynamic-config", f"{role}/0", f"{TMPFS}.0.size", (0, ABSENT, -1))
        for role in ROLES
    ),
    *(
        Break(
            "mounts-elsewhere",
            place,
            TMPFS,
            ([{"containerPath": DYNAMIC_CONFIG, "size": 1, "mountOptions": list(RIGHT)}],),
            (f"{TASK}.{place[:-2]}", f"container_definitions.{place[-1]}.{TMPFS}.0"),
        )
        for place in ("ui/0", "grafana/0", "history/1")
    ),
    Break(
        "mounts-fargate",
        f"{TASK}.history",
        "requires_compatibilities",
        (["FARGATE"], ["EC2", "FARGATE"]),
        (f"{TASK}.history", f"container_definitions.0.{TMPFS}"),
    ),
    Break(
        "mounts-volume",
        "ui/0",
        "mountPoints",
        ([{"sourceVolume": "other", "containerPath": "/x"}],),
        (f"{TASK}.ui", "container_definitions.0.mountPoints.0.sourceVolume"),
    ),
]


def test_the_mounts_of_a_good_plan_can_be_filled() -> None:
    assert set(verdicts(good().judged(FAMILY)).values()) == {Verdict.OK}


@pytest.mark.parametrize(("wrong", "value"), every(BREAKS))
def test_what_is_wrong_is_found_where_it_is(wrong: Break, value: Any) -> None:
    wrong.holds(FAMILY, good(), value)


@given(st.sampled_from(BREAKS), st.integers(1, 64), st.permutations(RIGHT), st.data())
def test_property_14(wrong: Break, size: int, options: list[str], data: st.DataObject) -> None:
    """Feature: temporal-ecs-fargate, Property 14: a tmpfs on the four services, as followed.

    It belongs to the server's user: as written it would hide the image's file and stay empty.
    """
    draft = good()
    mode = data.draw(st.sampled_from(([], ["mode=0755"], ["mode=0700"], ["mode=1777"])))
    for role in ROLES:
        draft.put(f"{role}/0", f"{TMPFS}.0.mountOptions", [*options, *mode])
        draft.put(f"{role}/0", f"{TMPFS}.0.size", size)
    assert not draft.judged(FAMILY).findings
    wrong.holds(FAMILY, draft, data.draw(st.sampled_from(wrong.values)))


def test_the_mount_is_that_of_the_user_that_runs() -> None:
    draft = good().put("history/0", "user", "2000:2000")
    (found,) = only(draft.judged(FAMILY), "mounts-dynamic-config")
    assert found.attribute == f"container_definitions.0.{TMPFS}.0.mountOptions"
    draft.put("history/0", f"{TMPFS}.0.mountOptions", ["uid=2000", "noexec", "nosuid"])
    assert not draft.judged(FAMILY).findings


def test_a_service_for_fargate_has_no_tmpfs() -> None:
    draft = good().put(f"{SERVICE}.worker", "launch_type", "FARGATE")
    (found,) = only(draft.judged(FAMILY), "mounts-fargate")
    assert found.resource == f"{TASK}.worker"


def test_volumes_of_the_task_may_be_mounted() -> None:
    draft = good().put("ui/0", "mountPoints", [{"sourceVolume": "own", "containerPath": "/x"}])
    draft.task("ui")["volume"] = [{"name": "own"}]
    assert not draft.judged(FAMILY).findings


def test_what_is_not_known_is_not_judged() -> None:
    hidden = good().put(f"{TASK}.history", "container_definitions", UNKNOWN)
    assert set(verdicts(hidden.judged(FAMILY)).values()) == {Verdict.SKIP}
    assert set(verdicts(Draft().judged(FAMILY)).values()) == {Verdict.SKIP}

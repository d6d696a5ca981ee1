"""What stays when infrastructure goes: the data, and all that they stand on."""

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.operations.staged import kept
from temporal_dsql_deploy.operations.staged.kept import DATA, One

TYPES = [*DATA, "aws_subnet", "aws_kms_key", "aws_ecs_service", "aws_s3_bucket_policy"]


@st.composite
def states(draw: st.DrawFn) -> list[One]:
    """Resources that depend on earlier ones alone, as in a state, directly or through others."""
    made: list[One] = []
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(TYPES))
        name = f"module.a.{kind}.r{number}"
        before = st.sampled_from([one.resource for one in made]) if made else st.nothing()
        needs = draw(st.lists(before, unique=True, max_size=3)) if made else []
        keys = draw(st.sampled_from([[""], ['["x"]', '["y"]'], ["[0]"]]))
        made += [One(name + key, name, kind, needs) for key in keys]
    return made


@given(states())
def test_nothing_that_is_kept_depends_on_what_goes(found: list[One]) -> None:
    parting = kept.part(found)
    assert sorted([*parting.kept, *parting.gone], key=str) == sorted(found, key=str)
    gone = {one.resource for one in parting.gone}
    for one in parting.kept:
        assert not gone & set(one.depends_on)


@given(states())
def test_all_data_are_kept(found: list[One]) -> None:
    gone = {one.type for one in kept.part(found).gone}
    assert not gone & set(DATA)


@given(states())
def test_what_goes_takes_nothing_with_it_that_is_kept(found: list[One]) -> None:
    """Terraform destroys a target and whatever depends on it, at any distance."""
    parting = kept.part(found)
    taken = {one.resource for one in parting.gone}
    while more := {one.resource for one in found if set(one.depends_on) & taken} - taken:
        taken |= more
    assert not taken & {one.resource for one in parting.kept}


@given(states())
def test_without_data_nothing_stays(found: list[One]) -> None:
    bare = [one for one in found if one.type not in DATA]
    names = {one.resource for one in bare}
    alone = [
        One(one.address, one.resource, one.type, [n for n in one.depends_on if n in names])
        for one in bare
    ]
    assert kept.part(alone).kept == []


def test_addresses_lose_their_keys_and_nothing_else() -> None:
    for address, bare in (
        ('module.a["x.y"].module.b[0].aws_s.t["k"]', "module.a.module.b.aws_s.t"),
        ('aws_s.t["a]\\"[b"]', "aws_s.t"),
        ("aws_s.t", "aws_s.t"),
    ):
        assert kept.bare(address) == bare


def test_policies_of_a_kept_bucket_stay_and_what_terraform_alone_has() -> None:
    bucket = One("aws_s3_bucket.b", "aws_s3_bucket.b", "aws_s3_bucket", [])
    policy = One("aws_s3_bucket_policy.b", "aws_s3_bucket_policy.b", "aws_s3_bucket_policy", [])
    its = One(policy.address, policy.resource, policy.type, [bucket.resource])
    guard = One("terraform_data.p", "terraform_data.p", "terraform_data", [bucket.resource])
    service = One("aws_ecs_service.s", "aws_ecs_service.s", "aws_ecs_service", [bucket.resource])
    parting = kept.part([bucket, its, guard, service])
    assert [one.address for one in parting.gone] == ["aws_ecs_service.s"]
    assert parting.data == [bucket]


def test_a_state_is_read_with_its_modules_and_without_data_sources() -> None:
    leaf = {"mode": "managed", "address": "module.m[0].aws_a.b[1]", "type": "aws_a"}
    state = {
        "values": {
            "root_module": {
                "resources": [
                    {"mode": "data", "address": "data.aws_x.y", "type": "aws_x"},
                    {
                        "mode": "managed",
                        "address": "aws_c.d",
                        "type": "aws_c",
                        "depends_on": ["module.m.aws_a.b"],
                    },
                ],
                "child_modules": [{"resources": [leaf]}],
            }
        }
    }
    assert kept.instances(state) == [
        One("aws_c.d", "aws_c.d", "aws_c", ["module.m.aws_a.b"]),
        One("module.m[0].aws_a.b[1]", "module.m.aws_a.b", "aws_a", []),
    ]
    assert kept.instances({}) == []

"""Where the secret is, of what the user and Terraform's variables say."""

import pytest

from temporal_dsql_deploy.errors import InvalidSetting, MissingError
from temporal_dsql_deploy.operations.secret.place import How, place

DEV = {"project_name": "temporal-dev", "region": "eu-west-1", "tags": {}}


def test_the_variables_tell_it() -> None:
    found = place("dev", How(), {**DEV, "tags": {"Team": "x", "ManagedBy": "us"}})
    assert (found.region, found.name) == ("eu-west-1", "temporal-dev/grafana/admin")
    assert found.tags == {
        "Project": "temporal-dev",
        "Environment": "dev",
        "ManagedBy": "us",
        "Team": "x",
    }
    assert found.kms_key is None
    assert found.notes == ()
    assert "--cluster temporal-dev-cluster --service temporal-dev-grafana" in found.restart


def test_a_variable_names_another_secret_key_and_cluster() -> None:
    said = {
        **DEV,
        "grafana_admin_secret_name": "theirs",
        "kms_key_arn": "arn:key",
        "existing_ecs_cluster": {"name": "shared"},
    }
    found = place("dev", How(), said)
    assert (found.name, found.kms_key, found.notes) == ("theirs", "arn:key", ())
    assert "--cluster shared --service temporal-dev-grafana" in found.restart


def test_what_the_user_says_wins_and_what_speaks_against_it_is_told() -> None:
    how = How(region="us-east-1", name="mine", kms_key="alias/mine")
    found = place("dev", how, DEV)
    assert (found.region, found.name, found.kms_key) == ("us-east-1", "mine", "alias/mine")
    name, region, key = found.notes
    assert 'grafana_admin_secret_name = "mine"' in name
    assert "the environment is in eu-west-1" in region
    assert "kms:Decrypt on alias/mine" in key


def test_without_terraform_the_user_has_to_say_both() -> None:
    assert place("dev", How(region="us-west-2", name="n"), {}).restart.endswith("--service SERVICE")
    with pytest.raises(MissingError, match="the region") as region:
        place("dev", How(name="n"), {})
    assert region.value.fix == "say it: --region REGION"
    with pytest.raises(MissingError, match="the name"):
        place("dev", How(region="us-west-2"), {})


@pytest.mark.parametrize(
    "how", [How(region="eu west 1"), How(region="nowhere"), How(name="a b"), How(name="x" * 513)]
)
def test_what_is_no_region_or_name_is_refused(how: How) -> None:
    with pytest.raises(InvalidSetting, match="is not right"):
        place("dev", how, DEV)

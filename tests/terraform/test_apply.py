"""The real Terraform applies to the emulated AWS, finds nothing more to do, and destroys it all.

bench, and every environment with nothing left out, are applied by the campaign.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy.checks import Subject, Verdict, judge
from temporal_dsql_deploy.plan import read_state
from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from temporal_dsql_deploy.terraform import commands
from tests.support import aws as account
from tests.support import certificate
from tests.support.terraform_env import Environment, copy, environment, override

EVERY_TYPE = Path(__file__).parent / "every_type"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"


@pytest.mark.needs("terraform")
@pytest.mark.timeout(600)
def test_every_type_of_resource_is_applied_planned_empty_and_destroyed(
    aws: EmulatedAws, tmp_path: Path
) -> None:
    directory = tmp_path / "every_type"
    shutil.copytree(EVERY_TYPE, directory)
    override(directory, whole=True)
    certificate.write(directory / "certificate", "every.test")
    account.grafana_secret(aws, "every")
    with environment(directory, aws) as every:
        assert every.apply()
        assert every.plan() == []
        every.destroy()
    assert account.log(aws) == ""


@pytest.mark.needs("terraform")
@pytest.mark.timeout(1200)
def test_dev_and_prod_in_one_account_do_not_touch_each_other(
    aws: EmulatedAws, tmp_path: Path
) -> None:
    folder = copy(tmp_path, protected=True)
    for name in ("dev", "prod"):
        account.grafana_secret(aws, f"temporal-{name}")
    backend = _account(folder / "account", aws)
    with (
        environment(folder / "envs/dev", aws, backend=backend) as dev,
        environment(folder / "envs/prod", aws, backend=backend) as prod,
    ):
        assert dev.apply()
        assert dev.plan() == []
        _is_right_by_its_state(dev)
        assert prod.apply()
        assert dev.plan() == []
        dev.destroy()
        assert prod.plan() == []
        _cannot_lose_data(prod)
        with pytest.raises(AssertionError, match="protected against being deleted"):
            prod.destroy()
        assert prod.plan() == []
    assert account.log(aws) == ""


def _account(folder: Path, aws: EmulatedAws) -> str:
    """What an account has once, applied as its README says; the text of backend.hcl."""
    with environment(folder, aws) as once:
        assert once.apply()
        assert once.plan() == []
        text: str = once.terraform.document(commands.output())["backend_config"]["value"]
    return text


def _is_right_by_its_state(applied: Environment) -> None:
    """A state knows more than a plan with known values, and no rule stumbles over it."""
    state = read_state(applied.terraform.document(commands.show()), revealed=True)
    judgement = judge(Subject(state))
    assert judgement.findings == ()
    held = [outcome for outcome in judgement.outcomes if outcome.verdict is Verdict.OK]
    assert len(held) > 0.9 * len(judgement.outcomes)


def _cannot_lose_data(prod: Environment) -> None:
    """What would make a data store of production anew is refused, a change in place is not."""
    refused: tuple[tuple[str, dict[str, Any]], ...] = (
        ("protected against being deleted", {"opensearch": {"domain_name": "another"}}),
        ("project_name is temporal-prod since the first apply", {"project_name": "other"}),
        ("kms_key_arn cannot change after the first apply", {"kms_key_arn": KEY}),
    )
    for words, change in refused:
        with pytest.raises(AssertionError, match=words):
            prod.plan(**change)
    domain = "module.temporal.module.opensearch.aws_opensearch_domain.this[0]"
    assert prod.plan(opensearch={"instance_count": 6}) == [f"{domain}: update"]

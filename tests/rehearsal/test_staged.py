"""`up` and `destroy` on ECS by the real command line and Terraform, in an account that is emulated.

moto starts no container: hosts are registered by the tests, one-off tasks end well at once, and no
service ever gets a task. What comes after that is in tests/unit/staged, and in the rehearsal.
"""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scripts import reference
from temporal_dsql_deploy.operations.staged.up import NAMES
from temporal_dsql_deploy.rehearsal.aws.server import ACCOUNT, REGION, EmulatedAws
from temporal_dsql_deploy.rehearsal.overrides import OVERRIDE
from temporal_dsql_deploy.terraform import backend
from tests.support.aws import client
from tests.support.deploy import Deploy
from tests.support.terraform_env import copy

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(1800)]
BUCKET = f"temporal-terraform-state-{ACCOUNT}-{REGION}"
CLUSTER = "temporal-dev-cluster"
IMAGES = ("temporal-dsql-runtime", "temporal-dsql-admin-tools")
TAG = "sha-1a2b3c4-20261121120000"
"""As terraform.tfvars.example names it."""
_WHEN = {"Version": "1.11.4", "Created": "2026-11-22T10:00:00.0Z"}


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's, whose environments keep their state in the account's bucket."""
    folder = copy(tmp_path_factory.mktemp("repository"))
    dev = folder / "envs" / "dev"
    overrides = dev / OVERRIDE
    local = 'terraform {\n  backend "local" {}\n}\n'
    overrides.write_text(overrides.read_text().replace(local, ""))
    shutil.copy(dev / "terraform.tfvars.example", dev / "terraform.tfvars")
    assert backend.read(dev).kind == "s3"
    return folder


@pytest.fixture(scope="module")
def command(
    aws: EmulatedAws, terraform: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deploy]:
    """The command line in that copy."""
    made = Deploy(tmp_path_factory.mktemp("command"))
    made.cwd = terraform.parent
    made.environment = {
        name: value for name, value in made.environment.items() if not name.startswith("AWS_")
    }
    made.environment |= {**aws.environment(), "TF_CLI_ARGS_apply": "-parallelism=40"}
    yield made
    made.clean_up()


@pytest.fixture(scope="module")
def account_made(aws: EmulatedAws, command: Deploy, terraform: Path) -> None:
    """What an account has once, made by the step, and the images."""
    done = command.run("up", "dev", "--yes", "--only", "state", timeout=600)
    assert f"made the bucket {BUCKET}" in done.stdout
    found = backend.read(terraform / "envs" / "dev")
    assert (found.bucket, found.settings["region"]) == (BUCKET, REGION)
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "layers": [],
    }
    for name in IMAGES:
        text = json.dumps({**manifest, "annotations": {"name": name}})
        client(aws, "ecr").put_image(repositoryName=name, imageManifest=text, imageTag=TAG)


@pytest.fixture(scope="module")
def applied(command: Deploy, account_made: None) -> Any:
    """The whole of dev, applied by the steps up to there; the document of that run."""
    command.run("up", "dev", "--only", "secret")
    done = command.run("up", "dev", "--yes", "--only", "apply", "--json", timeout=900)
    return json.loads(done.stdout)


def _outcomes(document: Any) -> dict[str, str]:
    return {step["name"]: step["outcome"] for step in document["steps"]}


def test_a_dry_run_of_an_empty_account_tells_all_and_makes_nothing(
    aws: EmulatedAws, command: Deploy, terraform: Path
) -> None:
    document = command.json("up", "dev", "--dry-run")
    jsonschema.validate(document, json.loads(_schema("up-on-ecs")))
    outcomes = _outcomes(document)
    assert list(outcomes) == list(NAMES)
    assert outcomes["account"] == outcomes["check"] == "is-so"
    assert outcomes["state"] == outcomes["secret"] == outcomes["images"] == "to-do"
    assert {outcomes[name] for name in ("plan", "apply", "services")} == {"unknown"}
    assert outcomes["probe"] == "to-do"
    assert client(aws, "s3").list_buckets()["Buckets"] == []
    assert not (terraform / "envs" / "dev" / "backend.hcl").exists()


def test_without_a_yes_and_a_terminal_nothing_is_made(
    aws: EmulatedAws, command: Deploy, terraform: Path
) -> None:
    refused = command.run("up", "dev", "--only", "state", check=False)
    assert refused.returncode == 4
    assert "apply" in refused.stderr
    assert "--yes" in refused.stderr
    assert client(aws, "s3").list_buckets()["Buckets"] == []
    assert not (terraform / "account" / "terraform.tfvars").exists()


@pytest.mark.parametrize(
    ("variables", "code", "said"),
    [
        ({"TF_VAR_region": "eu-wset-1"}, 2, "did you mean eu-west-1"),
        ({"AWS_PROFILE": "nobody"}, 3, "profile (nobody) could not be found"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 3, "AWS cannot be reached"),
    ],
)
def test_the_account_is_looked_at_first(
    command: Deploy, variables: dict[str, Any], code: int, said: str
) -> None:
    done = command.run("up", "dev", "--yes", check=False, **variables)
    assert done.returncode == code, done.stderr
    assert "step account: " in done.stderr
    assert said in done.stderr


def test_another_account_is_refused(command: Deploy, tmp_path: Path, terraform: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(
        f'platform = "ecs"\naccount = "210987654321"\nterraform = "{terraform / "envs" / "dev"}"\n'
    )
    done = command.run("up", "ours", "--file", str(file), "--yes", check=False)
    assert done.returncode == 4
    assert f"credentials are of account {ACCOUNT}" in done.stderr


def test_the_bucket_of_a_colleague_is_found_again(
    command: Deploy, account_made: None, terraform: Path
) -> None:
    settings = terraform / "envs" / "dev" / "backend.hcl"
    before = settings.read_text()
    settings.unlink()
    document = command.json("up", "dev", "--only", "state")
    assert _outcomes(document)["state"] == "done"
    assert backend.read(terraform / "envs" / "dev").bucket == BUCKET
    settings.write_text(before)
    assert _outcomes(command.json("up", "dev", "--only", "state"))["state"] == "is-so"


def test_images_that_are_nowhere_are_named(
    aws: EmulatedAws, command: Deploy, account_made: None, tmp_path: Path
) -> None:
    host = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
    other = tmp_path / "other.tfvars"
    other.write_text(f'temporal_image = "{host}/temporal-dsql-runtime:sha-none"\n')
    words = ("up", "dev", "--yes", "--only", "images")
    done = command.run(*words, "--var-file", str(other), check=False)
    assert done.returncode == 3
    assert "temporal-dsql-runtime:sha-none" in done.stderr
    assert "images build" in done.stderr
    seen = command.json(*words)["steps"]
    assert "2 images are in Amazon ECR" in next(s for s in seen if s["name"] == "images")["told"]


def test_what_is_applied_is_a_no_op_the_next_time(
    command: Deploy, account_made: None, applied: Any
) -> None:
    assert _outcomes(applied)["apply"] == "done"
    assert applied["changed"] is True
    again = command.json("up", "dev", "--only", "apply")
    assert _outcomes(again)["apply"] == "is-so"
    assert again["changed"] is False
    assert command.json("lock", "show", "dev")["locked"] is False


def test_hosts_that_do_not_come_are_told_and_then_it_goes_on(
    aws: EmulatedAws, command: Deploy, applied: Any
) -> None:
    words = ("up", "dev", "--only", "hosts", "--wait", "1")
    done = command.run(*words, check=False)
    assert done.returncode == 1, done.stderr
    assert "step hosts: " in done.stderr
    assert "their ECS agents have not registered" in done.stderr
    groups = client(aws, "autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    for instance in (one["InstanceId"] for group in groups for one in group["Instances"]):
        client(aws, "ecs").register_container_instance(
            cluster=CLUSTER, instanceIdentityDocument=json.dumps({"instanceId": instance})
        )
    assert _outcomes(command.json(*words))["hosts"] == "is-so"


def test_the_tasks_of_schema_and_index_are_run(
    aws: EmulatedAws, command: Deploy, applied: Any
) -> None:
    for name in ("schema", "visibility"):
        document = command.json("up", "dev", "--only", name)
        assert _outcomes(document)[name] == "done"
        told = next(step["told"] for step in document["steps"] if step["name"] == name)
        assert "task arn:aws:ecs" in told


def test_two_at_once_are_one_and_a_refusal(aws: EmulatedAws, command: Deploy, applied: Any) -> None:
    key = "temporal-dsql/dev/terraform.tfstate.dsql-deploy-lock"
    holder = {"token": "t", "who": "ann@far, process 1", "verb": "up", "since": "2026-11-22"}
    s3 = client(aws, "s3")
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(holder))
    for words in (("up", "dev", "--yes"), ("destroy", "dev", "--yes")):
        refused = command.run(*words, check=False)
        assert refused.returncode == 4
        assert "dsql-deploy up by ann@far, process 1, since 2026-11-22" in refused.stderr
    shown = command.json("lock", "show", "dev")
    jsonschema.validate(shown, json.loads(_schema("lock-show")))
    assert (shown["locked"], shown["who"]) == (True, "ann@far, process 1")
    assert command.run("lock", "release", "dev", check=False).returncode == 4
    assert command.json("lock", "release", "dev", "--yes")["released"] is True
    assert command.json("lock", "show", "dev")["locked"] is False


def test_a_state_that_is_locked_says_by_whom(
    aws: EmulatedAws, command: Deploy, applied: Any
) -> None:
    key = "temporal-dsql/dev/terraform.tfstate.tflock"
    info = {
        "ID": "4711",
        "Operation": "OperationTypeApply",
        "Who": "bob@far",
        "Info": "",
        "Path": "",
    }
    s3 = client(aws, "s3")
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps({**info, **_WHEN}))
    refused = command.run("up", "dev", "--yes", "--only", "plan", check=False)
    s3.delete_object(Bucket=BUCKET, Key=key)
    assert refused.returncode == 4, refused.stderr
    assert "bob@far" in refused.stderr


def test_destroy_keeps_the_data_and_up_builds_on_them_again(
    aws: EmulatedAws, command: Deploy, applied: Any
) -> None:
    (store,) = client(aws, "dsql").list_clusters()["clusters"]
    words = ("destroy", "dev", "--yes", "--json")
    told = command.json("destroy", "dev", "--dry-run")
    jsonschema.validate(told, json.loads(_schema("destroy-on-ecs")))
    assert _status(aws) == "ACTIVE"
    done = json.loads(command.run(*words, timeout=900).stdout)
    assert done["removed"] == told["removed"]
    whats = {one["what"] for one in done["kept"]}
    assert whats == {"DSQL cluster", "OpenSearch domain", "Prometheus workspace", "S3 bucket"}
    assert _status(aws) == "INACTIVE"
    assert client(aws, "dsql").list_clusters()["clusters"] == [store]
    assert len(client(aws, "opensearch").list_domain_names()["DomainNames"]) == 1
    again = json.loads(command.run(*words).stdout)
    assert again["removed"] == []
    assert _outcomes(again)["infrastructure"] == "is-so"
    # Interrupted in the midst of an apply it finishes that, and the next run goes on from there.
    process = command.start("up", "dev", "--yes", "--only", "apply")
    assert process.stderr is not None
    for line in process.stderr:
        if "terraform: " in line and " resources are changed" in line:
            process.send_signal(signal.SIGINT)
            break
    _, said = process.communicate(timeout=300)
    assert process.returncode == 5, said
    assert "finishes this apply" in said
    assert "run the same command again" in said
    assert command.json("lock", "show", "dev")["locked"] is False
    assert client(aws, "dsql").list_clusters()["clusters"] == [store]
    assert _outcomes(command.json("up", "dev", "--only", "apply"))["apply"] == "is-so"
    _destroy_all(aws, command)


def _status(aws: EmulatedAws) -> str:
    (cluster,) = client(aws, "ecs").describe_clusters(clusters=[CLUSTER])["clusters"]
    return str(cluster["status"])


def _destroy_all(aws: EmulatedAws, command: Deploy) -> None:
    refused = command.run("destroy", "dev", "--with-data", "--yes", check=False)
    assert refused.returncode == 4
    assert "--confirm dev" in refused.stderr
    assert "DSQL cluster" in refused.stderr
    command.run("destroy", "dev", "--with-data", "--confirm", "dev", timeout=900)
    assert client(aws, "dsql").list_clusters()["clusters"] == []
    assert client(aws, "opensearch").list_domain_names()["DomainNames"] == []


def _schema(name: str) -> str:
    return (reference.REFERENCE / "schemas" / f"{name}.schema.json").read_text()

"""`dsql-deploy secret` as its users run it, before anything was applied."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pexpect
import pytest
from botocore.exceptions import ClientError

from scripts.reference import REFERENCE
from temporal_dsql_deploy.aws import refusal
from temporal_dsql_deploy.errors import ConfigurationRejected, MissingError, VariableRejected
from temporal_dsql_deploy.rehearsal.aws.server import ACCOUNT, EmulatedAws
from temporal_dsql_deploy.terraform import values
from tests.support.aws import client
from tests.support.deploy import COMMAND, Deploy
from tests.support.terraform_env import copy, environment

pytestmark = pytest.mark.needs("terraform")

ROOT_MODULE = """
variable "region" {
  default = "eu-west-1"
}

variable "project_name" {
  type        = string
  description = "A brace } at the end of a text {"

  validation {
    condition     = can(regex("^[a-z]", var.project_name))
    error_message = "project_name begins with a letter."
  }
}

variable "needed_elsewhere" {}

data "aws_nothing" "x" {}
"""
Secret = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def root(deploy: Deploy) -> Path:
    """The Terraform of environment `mine`: neither initialised nor applied."""
    folder = deploy.folder / "root"
    folder.mkdir()
    (folder / "main.tf").write_text(ROOT_MODULE)
    (folder / "terraform.tfvars").write_text(f'project_name = "{deploy.folder.name[:20]}"\n')
    path = deploy.config / "dsql-deploy" / "environments" / "mine.toml"
    path.write_text(f'platform = "ecs"\nterraform = "{folder}"\n')
    return folder


@pytest.fixture
def secret(deploy: Deploy, aws: EmulatedAws, root: Path) -> Secret:
    def secret(*words: str, check: bool = True, **variables: str) -> Any:
        told: dict[str, Any] = {**aws.environment(), **variables}
        return deploy.run("secret", *words, check=check, **told)

    return secret


def name_of(deploy: Deploy) -> str:
    return f"{deploy.folder.name[:20]}/grafana/admin"


def stored(aws: EmulatedAws, name: str) -> Any:
    return json.loads(client(aws, "secretsmanager").get_secret_value(SecretId=name)["SecretString"])


def stored_if_any(aws: EmulatedAws, name: str) -> Any:
    try:
        return stored(aws, name)
    except ClientError as error:
        if refusal(error) == "ResourceNotFoundException":
            return None
        raise


def document(done: subprocess.CompletedProcess[str], name: str) -> Any:
    made = json.loads(done.stdout)
    schema = json.loads((REFERENCE / "schemas" / f"secret-{name}.schema.json").read_text())
    jsonschema.validate(made, schema)
    return made


def test_a_secret_is_made_before_anything_is_applied(
    deploy: Deploy, aws: EmulatedAws, secret: Secret, root: Path
) -> None:
    name = name_of(deploy)
    planned = document(secret("setup", "mine", "--dry-run", "--json"), "setup")
    assert (planned["action"], planned["name"], planned["arn"]) == ("create", name, None)
    made = secret("setup", "mine")
    assert f"made secret {name} in eu-west-1: administrator admin" in made.stdout
    password = stored(aws, name)["admin_password"]
    assert "nothing to do" in secret("setup", "mine").stdout
    shown = secret("show", "mine", "--json")
    assert document(shown, "show")["versions"][0]["stages"] == ["AWSCURRENT"]
    refused = secret("show", "mine", check=False)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "on a terminal only" in refused.stderr
    unconfirmed = secret("rotate", "mine", check=False)
    assert unconfirmed.returncode == 4
    assert stored(aws, name)["admin_password"] == password
    rotated = document(secret("rotate", "mine", "--yes", "--json"), "rotate")
    assert "update-service --force-new-deployment" in rotated["restart"]
    new = stored(aws, name)["admin_password"]
    assert new != password
    for done in (made, shown, refused, unconfirmed):
        assert password not in done.stdout + done.stderr
    # The folder is as it was: nothing is written where the user's own terraform works.
    assert sorted(path.name for path in root.iterdir()) == ["main.tf", "terraform.tfvars"]


def test_wrong_use_is_told_without_a_call(deploy: Deploy, secret: Secret) -> None:
    for words, code, said in (
        (("setup", "cluster"), 2, "is not on AWS"),
        (("setup", "mine", "--user", "a b"), 2, "--user"),
        (("show", "nobody", "--json"), 3, "no environment"),
        (("rotate", "mine", "--yes"), 3, "there is no secret"),
    ):
        done = secret(*words, check=False)
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    lacking = secret("setup", "mine", check=False, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert (lacking.returncode, "credentials-missing" in lacking.stderr) == (3, True)


def test_credentials_of_another_account_are_refused(deploy: Deploy, secret: Secret) -> None:
    path = deploy.config / "dsql-deploy" / "environments" / "mine.toml"
    path.write_text(f'{path.read_text()}account = "210987654321"\n')
    done = secret("setup", "mine", check=False)
    assert done.returncode == 4
    assert f"are of account {ACCOUNT}" in done.stderr


@pytest.mark.needs("terminals")
def test_a_password_of_ones_own_comes_from_a_pipe_or_a_prompt(
    deploy: Deploy, aws: EmulatedAws, secret: Secret
) -> None:
    name = name_of(deploy)
    command = [str(COMMAND), "secret", "setup", "mine", "--password-from-stdin"]
    variables = {**deploy.environment, **aws.environment(), "TERM": "xterm"}
    piped = subprocess.run(
        command, input="from a pipe 'ö\n", env=variables, cwd=deploy.cwd, text=True, check=True
    )
    assert piped.returncode == 0
    assert stored(aws, name)["admin_password"] == "from a pipe 'ö"  # noqa: S105
    for given in (b"", b"not \xff UTF-8\n"):
        done = subprocess.run(
            command, input=given, env=variables, cwd=deploy.cwd, capture_output=True, check=False
        )
        assert (done.returncode, b"Traceback" in done.stderr) == (2, False)
    child = pexpect.spawn(
        str(COMMAND),
        ["secret", "rotate", "mine", "--password-from-stdin"],
        env=variables,
        cwd=str(deploy.cwd),
        encoding="utf-8",
        timeout=60,
    )
    child.expect("Rotate it?")
    child.sendline("y")
    for asked in ("New password: ", "Once more: "):
        child.expect(asked)
        child.waitnoecho()
        child.sendline("typed-by-hand")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert "typed-by-hand" not in str(child.before)
    assert stored(aws, name)["admin_password"] == "typed-by-hand"  # noqa: S105
    ended = pexpect.spawn(
        str(COMMAND),
        ["secret", "rotate", "mine", "--yes", "--password-from-stdin"],
        env=variables,
        cwd=str(deploy.cwd),
        encoding="utf-8",
        timeout=60,
    )
    ended.expect("New password: ")
    ended.waitnoecho()
    ended.sendeof()
    ended.expect("no password was given")
    ended.expect(pexpect.EOF)
    ended.close()
    assert ended.exitstatus == 2


@pytest.mark.needs("terminals")
def test_the_password_is_shown_on_a_terminal(
    deploy: Deploy, aws: EmulatedAws, secret: Secret
) -> None:
    secret("setup", "mine")
    ran: Any = pexpect.run(
        f"{COMMAND} secret show mine",
        env={**deploy.environment, **aws.environment(), "TERM": "xterm"},
        cwd=str(deploy.cwd),
        encoding="utf-8",
        withexitstatus=True,
        timeout=60,
    )
    shown, code = ran
    assert code == 0
    assert f"password  {stored(aws, name_of(deploy))['admin_password']}" in shown


def test_of_many_at_once_one_makes_it(deploy: Deploy, aws: EmulatedAws, root: Path) -> None:
    words = ["secret", "setup", "mine", "--region", "eu-west-1", "--name", "raced", "--json"]
    started = [deploy.start(*words, **aws.environment()) for _ in range(6)]
    ended = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0] * 6, ended
    actions = sorted(json.loads(out)["action"] for out, _ in ended)
    assert actions == ["create", *["keep"] * 5]
    versions = client(aws, "secretsmanager").list_secret_version_ids(SecretId="raced")["Versions"]
    assert len(versions) == 1


@pytest.mark.parametrize("verb", ["setup", "rotate"])
def test_interrupted_anywhere_it_is_whole_or_not_there(
    deploy: Deploy, aws: EmulatedAws, secret: Secret, verb: str
) -> None:
    here = ("--region", "eu-west-1", "--name", f"stopped-{verb}")
    before = None
    if verb == "rotate":
        secret("setup", "mine", *here)
        before = stored(aws, f"stopped-{verb}")
    for wait in range(8):
        options = ("--yes",) if verb == "rotate" else ()
        process = deploy.start("secret", verb, "mine", *here, *options, **aws.environment())
        try:
            # Spread over the time that it takes; each moment has to be a good one.
            process.wait(timeout=0.2 + wait * 0.1)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        # Before our own code runs, Python ends by the signal itself.
        assert process.returncode in (0, 130, -signal.SIGINT), said
        now = stored_if_any(aws, f"stopped-{verb}")
        if now is None:
            assert before is None
            continue
        assert set(now) == {"admin_user", "admin_password"}
        assert len(now["admin_password"]) == 40
        before = now
    secret("setup", "mine", *here)


def test_terraform_says_what_an_apply_would_take(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = tmp_path / "more.tfvars"
    more.write_text('region = "us-east-2"\nunknown = 1\n')
    names = ("region", "project_name", "absent")
    (root / "terraform.tfvars").write_text('project_name = "of-a-file"\n')
    assert values.read(values.Request(root), names) == {
        "region": "eu-west-1",
        "project_name": "of-a-file",
    }
    monkeypatch.setenv("TF_VAR_region", "us-west-2")
    assert values.read(values.Request(root), names)["region"] == "us-west-2"
    found = values.read(values.Request(root, [more]), names)
    assert found["region"] == "us-east-2"
    (root / "more.tf.json").write_text('{"variable": {"absent": {"default": {"a": ["b"]}}}}')
    assert values.read(values.Request(root), names)["absent"] == {"a": ["b"]}
    (root / "part.tf").write_text(
        'variable "part" {\n  type = object({ given = string, left = optional(string, "out") })\n'
        "  sensitive = true\n}\n"
    )
    (root / "terraform.tfvars").write_text('part = { given = "a" }\n')
    assert values.read(values.Request(root), ("part",)) == {"part": {"given": "a", "left": "out"}}


def test_what_terraform_refuses_is_told(root: Path) -> None:
    (root / "more.tf").write_text('variable "region2" {\n  default = nothing(\n}\n')
    with pytest.raises(ConfigurationRejected):
        values.read(values.Request(root), ("region2",))
    assert values.read(values.Request(root), ("region",)) == {"region": "eu-west-1"}
    (root / "terraform.tfvars").write_text('project_name = "0"\n')
    with pytest.raises(VariableRejected, match="project_name"):
        values.read(values.Request(root), ("project_name",))
    (root / "terraform.tfvars").unlink()
    with pytest.raises(VariableRejected, match="project_name"):
        values.read(values.Request(root), ("project_name",))
    with pytest.raises(MissingError, match="no folder"):
        values.read(values.Request(root / "nowhere"), ("project_name",))


def test_it_is_the_secret_that_the_plan_needs(
    deploy: Deploy, aws: EmulatedAws, secret: Secret, tmp_path: Path
) -> None:
    folder = copy(tmp_path / "copy") / "envs" / "dev"
    path = deploy.config / "dsql-deploy" / "environments" / "mine.toml"
    path.write_text(f'platform = "ecs"\nterraform = "{folder}"\n')
    with environment(folder, aws, {"project_name": "needs-it"}) as dev:
        with pytest.raises(AssertionError, match="Secret"):
            dev.plan()
        secret("setup", "mine", TF_VAR_project_name="needs-it")
        assert dev.plan()
    kept = client(aws, "secretsmanager").describe_secret(SecretId="needs-it/grafana/admin")
    tags = {one["Key"]: one["Value"] for one in kept["Tags"]}
    assert tags == {"Project": "needs-it", "Environment": "mine", "ManagedBy": "dsql-deploy"}

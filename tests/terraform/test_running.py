"""The real Terraform, started, followed, interrupted and understood. No AWS, no network."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import (
    ConfigurationRejected,
    CredentialsMissing,
    MissingError,
    NotInitialised,
    Protected,
    ProviderMissing,
    StateLocked,
    StoppedHalfway,
    TerraformFailed,
    VariableRejected,
)
from temporal_dsql_deploy.plan import Action, read_plan, read_state
from temporal_dsql_deploy.terraform import commands, find, mirror, survive, workdir
from temporal_dsql_deploy.terraform.messages import Event
from temporal_dsql_deploy.terraform.run import Terraform, ignore

pytestmark = pytest.mark.needs("terraform")

AWS = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
"""
WAITING = """
resource "terraform_data" "first" {}

resource "terraform_data" "second" {
  depends_on = [terraform_data.first]

  provisioner "local-exec" {
    command = "echo started; while [ ! -e go ]; do sleep 0.1; done"
  }
}
"""
"""An apply that is half way until there is a file `go`."""


@pytest.fixture(autouse=True)
def _no_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "TF_VAR_", "TF_LOG"))]:
        if name != "AWS_CA_BUNDLE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "nothing"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "nothing"))


Write = Callable[[str], Terraform]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Terraform in a directory with one file."""

    def made(text: str) -> Terraform:
        directory = tmp_path / "root"
        directory.mkdir(exist_ok=True)
        (directory / "main.tf").write_text(text)
        return Terraform(find.find(), directory)

    return made


def watched(terraform: Terraform, on_event: Callable[[Event], None]) -> Terraform:
    return Terraform(terraform.binary, terraform.directory, terraform.environment, on_event)


def planned(terraform: Terraform, *, destroy: bool = False) -> Path:
    out = terraform.directory.parent / "plan"
    terraform.run(commands.plan(out=out, destroy=destroy))
    return out


def half_way(event: Event) -> bool:
    return event.kind == "provision_progress" and event.text.endswith(": started")


def locked(terraform: Terraform) -> bool:
    return (terraform.directory / ".terraform.tfstate.lock.info").exists()


def test_plan_apply_state_outputs_and_a_second_plan(write: Write) -> None:
    terraform = write('resource "terraform_data" "x" { input = 1 }\noutput "o" { value = 2 }')
    terraform.run(commands.init())
    out = planned(terraform)
    plan = read_plan(terraform.document(commands.show(out)))
    assert [(c.address, c.action) for c in plan.changing()] == [("terraform_data.x", Action.CREATE)]
    assert plan["terraform_data.x"].unknown == {"id", "output"}
    events: list[Event] = []
    watched(terraform, events.append).run(commands.apply(out))
    assert ("apply_complete", "terraform_data.x") in [(e.kind, e.address) for e in events]
    state = read_state(terraform.document(commands.show()))
    assert state["terraform_data.x"]["input"] == 1
    assert state.outputs["o"].value == 2
    assert terraform.document(commands.output())["o"]["value"] == 2
    again = read_plan(terraform.document(commands.show(planned(terraform))))
    assert again.changing() == ()
    terraform.run(commands.destroy())
    assert read_state(terraform.document(commands.show())).resources == ()


def fake_mirror(folder: Path) -> Path:
    """A mirror with a provider that is never started: `init` only looks at its files."""
    said = subprocess.run(
        [str(find.find().path), "version", "-json"], capture_output=True, text=True, check=True
    )
    platform = json.loads(said.stdout)["platform"]
    package = folder / "registry.terraform.io" / "hashicorp" / "aws" / "9.9.9" / platform
    package.mkdir(parents=True)
    (package / "terraform-provider-aws_v9.9.9").write_text("#!/bin/sh\n")
    return folder


@pytest.mark.parametrize("way", ["option", "variable", "configuration", "search"])
def test_providers_come_from_the_mirror_however_it_was_found(
    way: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fake_mirror(tmp_path / "mirror")
    monkeypatch.delenv(mirror.VARIABLE, raising=False)
    config = tmp_path / "terraformrc"
    config.write_text("")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(config))
    if way == "variable":
        monkeypatch.setenv(mirror.VARIABLE, str(folder))
    if way == "configuration":
        config.write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}"\n  }}\n}}\n'
        )
    source = mirror.find(
        folder if way == "option" else None, folders=[folder] if way == "search" else []
    )
    assert (source.mirror is None) == (way == "configuration")
    terraform = write(AWS)
    with mirror.configured(source) as variables:
        Terraform(terraform.binary, terraform.directory, variables).run(commands.init())
    assert "9.9.9" in (terraform.directory / ".terraform.lock.hcl").read_text()


def test_a_provider_that_no_mirror_has_is_named(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "terraformrc"
    config.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}"\n  }}\n}}\n'
    )
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(config))
    with pytest.raises(ProviderMissing, match="hashicorp/aws") as caught:
        write(AWS).run(commands.init())
    assert "--provider-mirror" in caught.value.fix


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ('resource "terraform_data" "x" {\n  inptu = 1\n}', ConfigurationRejected, "main.tf:2"),
        ('resource "terraform_data" "x" {', ConfigurationRejected, "main.tf:1"),
        ('module "x" {\n  source = "./nothing"\n}', MissingError, "not initialised"),
        ('terraform {\n  required_version = ">= 9.0"\n}', MissingError, "does not fit"),
        ('terraform {\n  backend "s3" {}\n}', NotInitialised, "not initialised"),
        ('variable "n" {}', VariableRejected, "variable n has no value"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_said(
    write: Write, text: str, kind: type[Exception], said: str
) -> None:
    terraform = write(text)
    with pytest.raises(kind, match=said):
        planned(terraform)


def test_validate(write: Write) -> None:
    terraform = write('resource "terraform_data" "x" {\n  inptu = 1\n}')
    with pytest.raises(ConfigurationRejected, match=r"main\.tf:2") as caught:
        terraform.document(commands.validate())
    assert 'Did you mean "input"' in caught.value.cause
    assert write("").document(commands.validate())["valid"]


def test_a_backend_without_its_settings(write: Write) -> None:
    with pytest.raises(MissingError) as caught:
        write('terraform {\n  backend "s3" {}\n}').run(commands.init())
    assert caught.value.code == "backend-missing"
    assert "backend.hcl" in caught.value.fix


def test_a_refused_value_names_its_rule(write: Write) -> None:
    text = """
variable "n" {
  default = 0

  validation {
    condition     = var.n > 0
    error_message = "n must be positive."
  }
}
"""
    with pytest.raises(VariableRejected, match="n must be positive") as caught:
        planned(write(text))
    assert "main.tf:5" in caught.value.cause


def test_what_is_protected_is_not_destroyed(write: Write) -> None:
    terraform = write('resource "terraform_data" "x" {\n  lifecycle { prevent_destroy = true }\n}')
    terraform.run(commands.apply(planned(terraform)))
    with pytest.raises(Protected, match=r"terraform_data\.x is protected"):
        planned(terraform, destroy=True)


def test_without_credentials_it_says_so_and_does_not_wait(write: Write) -> None:
    text = f'{AWS}provider "aws" {{ region = "eu-west-1" }}\ndata "aws_caller_identity" "x" {{}}'
    terraform = write(text)
    with mirror.configured(mirror.find()) as variables:
        aws = Terraform(terraform.binary, terraform.directory, variables)
        aws.run(commands.init())
        with pytest.raises(CredentialsMissing) as caught:
            planned(aws)
    assert "--offline" in caught.value.fix


def test_a_locked_state_says_by_whom_and_how_to_unlock_it(write: Write) -> None:
    terraform = write(WAITING)
    found = []

    def second_plan(event: Event) -> None:
        if half_way(event):
            with pytest.raises(StateLocked) as caught:
                planned(terraform)
            found.append(caught.value)
            (terraform.directory / "go").touch()

    out = planned(terraform)
    watched(terraform, second_plan).run(commands.apply(out))
    (error,) = found
    assert "is locked by" in error.message
    assert error.cause == "a terraform apply holds it"
    assert "force-unlock" in error.fix
    assert error.exit_code == 4


def test_an_interrupted_apply_stops_gracefully_and_can_go_on(write: Write) -> None:
    terraform = write(WAITING)
    events: list[Event] = []

    def interrupt(event: Event) -> None:
        events.append(event)
        if half_way(event):
            os.kill(os.getpid(), signal.SIGINT)

    out = planned(terraform)
    with pytest.raises(StoppedHalfway) as caught:
        watched(terraform, interrupt).run(commands.apply(out))
    assert caught.value.exit_code == 5
    assert "1 resources had been changed" in caught.value.cause
    (said,) = (event.text for event in events if event.kind == "interrupted")
    assert "next interrupt" in said
    assert not locked(terraform)
    (terraform.directory / "go").touch()
    terraform.run(commands.apply(planned(terraform)))
    state = read_state(terraform.document(commands.show()))
    assert len(state.of_type("terraform_data")) == 2


def test_an_apply_that_makes_something_is_done_though_it_is_interrupted(write: Write) -> None:
    terraform = write(WAITING)
    events: list[Event] = []

    def interrupt(event: Event) -> None:
        events.append(event)
        if half_way(event):
            os.kill(os.getpid(), signal.SIGINT)
        if event.kind == "interrupted":
            (terraform.directory / "go").touch()

    out = planned(terraform)
    replace(watched(terraform, interrupt), finishes=True).run(commands.apply(out))
    (said,) = (event.text for event in events if event.kind == "interrupted")
    assert "finishes this apply" in said
    state = read_state(terraform.document(commands.show()))
    assert len(state.of_type("terraform_data")) == 2


APPLIER = """
import sys
from pathlib import Path
from temporal_dsql_deploy.terraform import commands, find
from temporal_dsql_deploy.terraform.run import Terraform

def told(event):
    print(event.text, flush=True)

Terraform(find.find(), Path(sys.argv[1]), {}, told).run(commands.apply(Path(sys.argv[2])))
"""
"""Whoever applies, as a process that can be killed."""


def test_an_apply_goes_on_when_who_started_it_is_killed(write: Write) -> None:
    terraform = write(WAITING)
    out = planned(terraform)
    command = [sys.executable, "-c", APPLIER, str(terraform.directory), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as applier:
        assert applier.stdout is not None
        assert any("started" in line for line in applier.stdout)
        applier.kill()
    said: list[str] = []
    assert not survive.wait_for_others(terraform.directory, said.append, seconds=0)
    (terraform.directory / "go").touch()
    assert survive.wait_for_others(terraform.directory, said.append)
    assert "waiting for the Terraform of another command" in said[0]
    assert not locked(terraform)
    state = read_state(terraform.document(commands.show()))
    assert len(state.of_type("terraform_data")) == 2
    said.clear()
    assert survive.wait_for_others(terraform.directory, said.append)
    assert said == []


@pytest.mark.parametrize(("name", "waits"), [("terraform-1.15", True), ("terraform-ls", False)])
def test_a_language_server_of_an_editor_is_not_waited_for(
    tmp_path: Path, name: str, *, waits: bool
) -> None:
    program = tmp_path / name
    shutil.copy(shutil.which("sleep") or "", program)
    with subprocess.Popen([program, "60"], cwd=tmp_path) as process:
        said: list[str] = []
        is_free = survive.wait_for_others(tmp_path, said.append, seconds=0)
        process.kill()
    assert (is_free, bool(said)) == (not waits, waits)


def test_an_interrupted_plan_is_an_interrupt(write: Write) -> None:
    terraform = write('resource "terraform_data" "x" {}')

    def interrupt(event: Event) -> None:
        if event.kind == "version":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        planned(watched(terraform, interrupt))
    assert not locked(terraform)
    planned(terraform)


def test_our_own_failure_leaves_no_terraform_behind(write: Write) -> None:
    terraform = write(WAITING)
    out = planned(terraform)

    def fail(event: Event) -> None:
        if half_way(event):
            raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        watched(terraform, fail).run(commands.apply(out))
    assert not locked(terraform)


def test_an_option_that_is_not_known_is_passed_on(write: Write) -> None:
    with pytest.raises(TerraformFailed) as caught:
        write("").run(["plan", "-json", "-no-such-option"])
    assert "no-such-option" in caught.value.cause


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="there is no folder"):
        Terraform(find.find(), tmp_path / "nothing", {}, ignore).run(commands.init())


def test_a_folder_is_initialised_when_that_is_needed(write: Write) -> None:
    terraform = write('resource "terraform_data" "x" {}')
    request = workdir.Request(terraform.directory)
    assert len(workdir.plan(request).changing()) == 1
    # Another backend than the one of the last init.
    write('terraform {\n  backend "local" {}\n}\nresource "terraform_data" "x" {}')
    (terraform.directory / workdir.BACKEND).write_text('path = "elsewhere.tfstate"\n')
    assert len(workdir.plan(request).changing()) == 1
    kept = terraform.directory / ".terraform" / "terraform.tfstate"
    assert "elsewhere.tfstate" in kept.read_text()

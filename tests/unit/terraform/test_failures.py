"""Terraform's errors, in the words of this tool. The texts are Terraform's and the provider's."""

from pathlib import Path

import pytest

from temporal_dsql_deploy import errors
from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.terraform.failures import Context, translate, warnings
from temporal_dsql_deploy.terraform.messages import Diagnostic

CONTEXT = Context("plan", Path("/envs/dev"))
LOCK = """\
Error message: resource temporarily unavailable
Lock Info:
  ID:        7d2e0f3e-0000-1111-2222-333344445555
  Path:      terraform.tfstate
  Operation: OperationTypeApply
  Who:       ann@laptop
  Version:   1.11.4
  Created:   2026-11-21 12:00:00.0 +0000 UTC
  Info:
"""


def of(summary: str, detail: str = "", **rest: str | int) -> DeployError:
    found = Diagnostic("error", summary, detail, **rest)  # type: ignore[arg-type]
    return translate([found], CONTEXT)


@pytest.mark.parametrize(
    ("kind", "summary", "detail", "said"),
    [
        (
            errors.CredentialsMissing,
            "No valid credential sources found",
            "Error: failed to refresh cached credentials, no EC2 IMDS role found",
            "plan ENV --offline",
        ),
        (
            errors.CredentialsExpired,
            "Retrieving AWS account details",
            "api error ExpiredToken: The security token included in the request is expired",
            "aws sso login",
        ),
        (
            errors.CredentialsMissing,
            "validating provider credentials",
            "api error InvalidClientTokenId: The security token included in the request is invalid",
            "AWS_PROFILE",
        ),
        (
            errors.WrongAccount,
            "AWS account ID not allowed: 210987654321",
            "",
            "account 210987654321",
        ),
        (errors.StateLocked, "Error acquiring the state lock", LOCK, "ann@laptop since 2026-11-21"),
        (
            errors.StateLocked,
            "Error acquiring the state lock",
            LOCK,
            "terraform -chdir=/envs/dev force-unlock 7d2e0f3e-0000-1111-2222-333344445555",
        ),
        (
            errors.BackendMissing,
            "Missing Required Value",
            'The attribute "bucket" is required by the backend.',
            "backend.hcl",
        ),
        (
            errors.BackendMissing,
            "Error refreshing state",
            'Unable to list objects in S3 bucket "x": NoSuchBucket',
            "up ENV --only state",
        ),
        (
            errors.NotInitialised,
            'Backend initialization required, please run "terraform init"',
            'Reason: Initial configuration of the requested backend "s3"',
            "terraform -chdir=/envs/dev init",
        ),
        (
            errors.NotInitialised,
            "Backend configuration changed",
            "A change in the backend configuration has been detected",
            "-reconfigure leaves it where it was",
        ),
        (
            errors.ProviderMissing,
            "Failed to query available provider packages",
            "Could not retrieve the list of versions for provider hashicorp/aws\n\nTo see which",
            "--provider-mirror",
        ),
        (errors.PermissionMissing, "x", "is not authorized to perform: dsql:Get", "dsql:Get"),
        (
            errors.Protected,
            "Instance cannot be destroyed",
            "Resource module.x.aws_s3_bucket.loki has lifecycle.prevent_destroy set, but",
            "module.x.aws_s3_bucket.loki is protected",
        ),
        (
            errors.Protected,
            "deleting Aurora DSQL Cluster",
            "ValidationException: cluster has deletion protection enabled",
            "deletion_protection",
        ),
        (errors.Protected, "deleting S3 Bucket", "api error BucketNotEmpty", "empty it"),
        (
            errors.TerraformFailed,
            "creating CloudWatch Logs Log Group (/small/tasks)",
            "api error ResourceAlreadyExistsException: The specified log group already exists",
            "import",
        ),
        (errors.BinaryUnusable, "Unsupported Terraform Core version", "not 1.11.4", "--terraform"),
        (errors.MissingError, "x", "dial tcp: lookup dsql: no such host", "AWS cannot be reached"),
        (errors.VariableRejected, "Resource precondition failed", "Too few tasks.", "Too few"),
    ],
)
def test_what_terraform_says_is_said_in_our_words(
    kind: type[DeployError], summary: str, detail: str, said: str
) -> None:
    error = of(summary, detail)
    assert type(error) is kind
    assert said in f"{error.message} {error.cause} {error.fix}"


def test_a_refused_variable_names_rule_and_place() -> None:
    detail = "n must be positive.\n\nThis was checked by the validation rule at main.tf:3,3-13."
    error = of("Invalid value for variable", detail, filename="main.tf", line=1)
    assert isinstance(error, errors.VariableRejected)
    assert error.message == "n must be positive."
    assert error.cause == (
        "the value given at /envs/dev/main.tf:1 is refused by the rule at /envs/dev/main.tf:3"
    )


def test_a_variable_without_a_value_is_named() -> None:
    detail = 'The root module input variable "n" is not set, and has no default value.'
    error = of("No value for required variable", detail, filename="variables.tf", line=4)
    assert error.message == "the Terraform variable n has no value"
    assert "/envs/dev/terraform.tfvars" in error.fix


def test_what_is_wrong_in_a_file_names_file_and_line() -> None:
    error = of("Unsupported argument", 'No "x".', filename="main.tf", line=7)
    assert isinstance(error, errors.ConfigurationRejected)
    assert error.message.startswith("/envs/dev/main.tf:7")
    assert error.exit_code == 2


def test_anything_else_is_passed_on_with_its_address() -> None:
    error = of("creating VPC", "quota", address="aws_vpc.this", filename="main.tf", line=1)
    assert isinstance(error, errors.TerraformFailed)
    assert error.message == "terraform plan failed at aws_vpc.this"
    assert error.cause == "creating VPC: quota"


def test_of_many_errors_the_one_that_explains_the_others_wins() -> None:
    others = [Diagnostic("error", f"e{index}", address=f"aws_x.y[{index}]") for index in range(5)]
    error = translate(others, CONTEXT)
    assert error.message == "terraform plan failed at aws_x.y[0] (and 4 more)"
    expired = Diagnostic("error", "x", "api error ExpiredToken: expired")
    assert isinstance(translate([*others, expired], CONTEXT), errors.CredentialsExpired)


def test_warnings_are_no_reason() -> None:
    error = translate([Diagnostic("warning", "deprecated")], CONTEXT, output="\x1b[31m│ Bad\x1b[0m")
    assert isinstance(error, errors.TerraformFailed)
    assert error.cause == "Bad"


def test_what_is_said_without_a_stream_of_messages_is_understood_too() -> None:
    said = (
        "\x1b[31m╷\x1b[0m\n│ Error: Backend initialization required, please run terraform init\n╵"
    )
    error = translate([], CONTEXT, output=said)
    assert isinstance(error, errors.NotInitialised)
    assert error.cause.startswith("Error: Backend initialization required")


RULE = "\n\nThis was checked by the validation rule at ../../modules/x/variables.tf:7,3-13."


def test_every_refused_value_is_told(tmp_path: Path) -> None:
    (tmp_path / "variables.tf").write_text('variable "temporal_admin_tools_image" {}\n')
    summary = "Invalid value for variable"
    found = [
        Diagnostic(
            "error",
            summary,
            f"admin_tools_image needs a tag.{RULE}",
            filename="main.tf",
            line=3,
            code="admin_tools_image = var.temporal_admin_tools_image",
        ),
        Diagnostic(
            "error",
            summary,
            f"ui needs a tag.{RULE}",
            filename="terraform.tfvars",
            line=2,
            code='ui = "x"',
        ),
        Diagnostic("error", "No value for required variable", 'The root input variable "n" is not'),
    ]
    error = translate(found, Context("plan", tmp_path))
    assert isinstance(error, errors.VariableRejected)
    assert error.message == (
        "admin_tools_image needs a tag; ui needs a tag; the Terraform variable n has no value"
    )
    line = "admin_tools_image = var.temporal_admin_tools_image"
    assert f"given at {tmp_path}/main.tf:3 ({line}) is refused by the rule at" in error.cause
    assert f"{tmp_path}/terraform.tfvars:2 (ui = " in error.cause
    assert "change the variable temporal_admin_tools_image, in terraform.tfvars" in error.fix
    assert f"give it one in {tmp_path}/terraform.tfvars" in error.fix


def test_warnings_are_told_once_and_not_those_of_values_without_a_variable() -> None:
    odd = Diagnostic("warning", "Odd", "It is\nodd.", filename="main.tf", line=3)
    undeclared = Diagnostic("warning", "Value for undeclared variable", "...")
    assert warnings([odd, odd, undeclared, Diagnostic("error", "x")], Path("/envs/dev")) == (
        "Odd: It is odd. (/envs/dev/main.tf:3)",
    )


def test_settings_of_the_backend_are_copied_from_the_example(tmp_path: Path) -> None:
    (tmp_path / "backend.hcl.example").write_text("")
    found = Diagnostic("error", "x", 'The attribute "bucket" is required by the backend.')
    error = translate([found], Context("init", tmp_path))
    assert f"copy {tmp_path}/backend.hcl.example to backend.hcl" in error.fix
    assert "key" not in error.fix


@pytest.mark.parametrize("joint", ["\n  ", " "], ids=["a message", "one line"])
def test_who_locks_a_state_is_known_by_whatever_terraform_prints(joint: str) -> None:
    created = "2026-11-23 00:58:01.794817224 +0000 UTC"
    said = [
        "Error acquiring the state lock: PreconditionFailed, RequestID: abc, HostID: def",
        "Lock Info:",
        "ID:        4ae48bec",
        "Path:      states/dev",
        "Operation: OperationTypeApply",
        "Who:       root@vm",
        "Version:   1.11.4",
        f"Created:   {created}",
        "Info:",
    ]
    context = Context("state", Path("/dev"))
    found = translate((), context, output=joint.join(said))
    assert isinstance(found, errors.StateLocked)
    assert found.lock == {
        "ID": "4ae48bec",
        "Operation": "OperationTypeApply",
        "Who": "root@vm",
        "Created": created,
    }

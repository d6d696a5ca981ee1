"""A copy of Terraform for the emulated AWS: whole, and with every difference named."""

import re
from pathlib import Path

from temporal_dsql_deploy.rehearsal import overrides
from temporal_dsql_deploy.rehearsal.overrides import LOCAL_STATE, OVERRIDE, Keeps
from temporal_dsql_deploy.terraform import configuration

ROOT = Path(__file__).parents[3]
DEV = ROOT / "terraform/envs/dev"
ACCOUNT = ROOT / "terraform/account"
TOPOLOGY = "src/temporal_dsql_deploy/topology/topology.json"


def test_a_copy_has_every_module_and_file_that_is_reached(tmp_path: Path) -> None:
    copied = overrides.copy([DEV], tmp_path).roots[DEV]
    assert copied == tmp_path / "terraform/envs/dev"
    original, here = configuration.read(DEV), configuration.read(copied)
    assert set(here.modules) == set(original.modules)
    assert (tmp_path / TOPOLOGY).read_text() == (ROOT / TOPOLOGY).read_text()
    assert not (tmp_path / "terraform/envs/prod").exists()


def test_what_differs_is_an_override_file_and_nothing_else(tmp_path: Path) -> None:
    overrides.copy([DEV, ACCOUNT], tmp_path)
    for path in (tmp_path / "terraform").rglob("*"):
        if path.is_file() and path.name != OVERRIDE:
            assert path.read_bytes() == (ROOT / path.relative_to(tmp_path)).read_bytes()


def test_every_difference_is_said(tmp_path: Path) -> None:
    copied = overrides.copy([DEV, ACCOUNT], tmp_path)
    overridden = {
        (kind, name)
        for path in tmp_path.rglob(OVERRIDE)
        for kind, name in re.findall(r'resource "(\w+)" "(\w+)"', path.read_text())
    }
    said = {tuple(line.partition(":")[0].split(".")) for line in copied.differences[:-1]}
    assert said == overridden
    assert "aws_s3_bucket.state: may be destroyed" in copied.differences
    assert copied.differences[-1].startswith("the Terraform state: a file of the rehearsal")


def test_what_is_to_be_kept_is_not_overridden(tmp_path: Path) -> None:
    everything = Keeps(lifecycle=True, protection=True, backend=True)
    copied = overrides.copy([DEV, ACCOUNT], tmp_path, everything)
    assert {line.partition(": ")[2] for line in copied.differences} == {
        "the provider does not wait for it to be ready"
    }
    assert not any(LOCAL_STATE in path.read_text() for path in tmp_path.rglob(OVERRIDE))


def test_states_secrets_and_values_stay_behind(tmp_path: Path) -> None:
    root = tmp_path / "mine" / "root"
    (root / ".terraform/providers").mkdir(parents=True)
    (root / "main.tf").write_text('output "x" {\n  value = 1\n}\n')
    behind = ("terraform.tfstate", "terraform.tfvars", "a.auto.tfvars.json", "backend.hcl")
    for name in behind:
        (root / name).write_text("")
    copied = overrides.copy([root], tmp_path / "copy").roots[root]
    assert sorted(path.name for path in copied.iterdir()) == [OVERRIDE, "main.tf"]


def test_a_root_elsewhere_finds_its_modules_again(tmp_path: Path) -> None:
    root, module = tmp_path / "a/b/root", tmp_path / "shared/module"
    for folder in (root, module):
        folder.mkdir(parents=True)
    (root / "main.tf").write_text('module "m" {\n  source = "../../../shared/module"\n}\n')
    (module / "main.tf").write_text('locals {\n  t = file("${path.module}/../text")\n}\n')
    (tmp_path / "shared/text").write_text("read")
    copied = overrides.copy([root], tmp_path / "copy").roots[root]
    assert (copied / "../../../shared/module/main.tf").is_file()
    assert (copied / "../../../shared/text").read_text() == "read"

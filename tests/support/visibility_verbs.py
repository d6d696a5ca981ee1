"""The verbs of `visibility` as their users type them."""

import json
import subprocess
from typing import Any

import jsonschema

from scripts import reference
from tests.support import opensearch
from tests.support.deploy import Deploy
from tests.support.opensearch import CREDENTIALS, Gate

INDEX = "temporal_visibility_v1_dev"


class Verbs:
    """`visibility` of an environment on ECS whose domain is named by hand."""

    def __init__(self, deploy: Deploy, gate: Gate) -> None:
        folder = deploy.folder / "root"
        folder.mkdir()
        self.file = deploy.folder / "ours.toml"
        self.file.write_text(f'platform = "ecs"\nterraform = "{folder}"\n')
        self.deploy = deploy
        self.gate = gate

    def words(self, verb: str, *options: str, index: str = INDEX) -> list[str]:
        named = ["--file", str(self.file), "--endpoint", self.gate.url, "--index", index]
        return ["visibility", verb, "ours", *named, *options]

    def run(
        self, verb: str, *options: str, index: str = INDEX, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        words = self.words(verb, *options, index=index)
        variables: dict[str, Any] = {**CREDENTIALS, **environment}
        return self.deploy.run(*words, check=False, **variables)

    def json(self, verb: str, *options: str, index: str = INDEX) -> Any:
        found = json.loads(self.run(verb, *options, "--json", index=index).stdout)
        name = f"visibility-{verb}{'-dry-run' if '--dry-run' in options else ''}"
        path = reference.REFERENCE / "schemas" / f"{name}.schema.json"
        jsonschema.validate(found, json.loads(path.read_text()))
        return found

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What OpenSearch itself says, to whom does not sign."""
        return opensearch.ask(self.gate.behind, method, path, body)

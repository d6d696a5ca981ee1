"""The verbs of `schema` on a stand-in for Aurora DSQL."""

from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import dsql
from tests.support.deploy import Deploy

if TYPE_CHECKING:
    import subprocess


class Verbs:
    """`schema` on the stand-in, with a folder of versions."""

    def __init__(self, deploy: Deploy, cluster: dsql.Cluster, folder: Path) -> None:
        self.deploy = deploy
        deploy.environment |= cluster.environment
        self._options = [f"--endpoint={dsql.HOST}", f"--certificates={cluster.authority}"]
        self._options.append(f"--schema={folder}")

    def run(
        self, verb: str, *more: str, environment: str = "dev", check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        """To its end."""
        return self.deploy.run(*self.words(verb, *more, environment=environment), check=check)

    def start(self, verb: str, *more: str, environment: str = "dev") -> "subprocess.Popen[str]":
        """And do not wait for it."""
        return self.deploy.start(*self.words(verb, *more, environment=environment))

    def words(self, verb: str, *more: str, environment: str = "dev") -> list[str]:
        """What follows the command."""
        return ["schema", verb, environment, *self._options, *more]

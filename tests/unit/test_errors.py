"""The tree of errors: drawn as it is, with codes that are unique and exit codes that are known."""

import inspect
import re

from temporal_dsql_deploy import errors
from temporal_dsql_deploy.cli.main import EXIT_CODES
from temporal_dsql_deploy.errors import DeployError

TREE = {
    name: kind
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, DeployError)
}


def test_the_drawing_names_every_error_and_no_other() -> None:
    drawn = re.findall(r"^ *[│├└─ ]*([A-Z]\w+)\b", str(errors.__doc__), re.MULTILINE)
    assert set(TREE) <= set(drawn)
    assert [name for name in drawn if name in TREE] == list(dict.fromkeys(drawn[1:-1]))


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in TREE.values()]
    assert len(codes) == len(set(codes))


def test_exit_codes_are_the_documented_ones() -> None:
    assert {kind.exit_code for kind in TREE.values()} <= set(EXIT_CODES)

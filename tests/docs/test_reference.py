"""The generated pages are those that the code makes, and their example is true."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts import documents, reference
from temporal_dsql_deploy.cli.main import app
from temporal_dsql_deploy.environments.find import find

PAGES = reference.pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_generated_page_is_up_to_date(path: Path) -> None:
    assert path.read_text() == PAGES[path], "run `make docs`"


def test_no_schema_is_left_over() -> None:
    there = set((reference.REFERENCE / "schemas").iterdir())
    assert there == {path for path in PAGES if path.parent.name == "schemas"}


def test_the_example_of_an_environment_file_is_one(tmp_path: Path) -> None:
    path = tmp_path / "environments" / "x.toml"
    path.parent.mkdir()
    path.write_text(reference.EXAMPLE)
    environment = find("x", file=path)
    assert environment.data_dir == path.parent / "../data/local"
    assert environment.namespaces == {"default": None, "orders": "72h"}


@pytest.mark.parametrize("verb", reference.verbs())
def test_every_verb_has_help_with_an_example_that_parses(verb: str) -> None:
    text = reference.help_text(verb)
    example = text.rpartition("Example: dsql-deploy ")[2].split()
    assert example[: len(verb.split())] == verb.split()
    assert "--json" in text
    # `--help` at the end keeps the example from being run, after its options have been parsed.
    assert CliRunner().invoke(app, [*example, "--help"]).exit_code == 0
    options = text.partition("Options:")[2]
    for line in options.splitlines():
        if line.strip().startswith("--"):
            assert len(line.split()) > 1, line


@pytest.mark.parametrize("verb", reference.verbs())
def test_every_verb_has_a_schema_for_its_document(verb: str) -> None:
    assert verb.replace(" ", "-") in documents.DOCUMENTS

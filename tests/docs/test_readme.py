"""The README's transcript is replayed, command by command, and must say the same again."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.deploy import Deploy

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def transcript(text: str) -> list[tuple[str, str]]:
    """Commands and their output, from all blocks marked `console`."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    steps = []
    for block in blocks:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            steps.append((command, output))
    return steps


def same(text: str) -> list[str]:
    """`text` without what differs from run to run: numbers, paths, widths, order of progress."""
    text = re.sub(r"\S*/dsql-deploy/local", "STATE", text)
    text = re.sub(r"\S*/\.venv/bin/temporal", "TEMPORAL", text)
    # A role that is a few seconds old may say either.
    text = re.sub(r"\b(STARTING|SERVING)\b", "SERVING", text)
    text = re.sub(r"\d+([.,:-]\d+)*", "N", text)
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    progress = sorted(line for line in lines if re.match(r"Ns ", line))
    return progress + [line for line in lines if not re.match(r"Ns ", line)]


def test_the_readme_says_what_one_sees(deploy: Deploy) -> None:
    steps = transcript(README)
    assert steps[0][0] == "make up"
    environment = {**os.environ, **deploy.environment, "MAKEFLAGS": "", "MAKELEVEL": ""}
    for command, output in steps:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout)
        assert same(done.stdout) == same(output), command


def test_a_transcript_that_is_not_true_is_found() -> None:
    said = "start server\n  0.28s  b\n  0.27s  a\n"
    assert same(said) == same("start  server\n  1.00s  a\n  9.00s  b\n")
    assert same(said) != same("started server\n  1.00s  a\n  9.00s  b\n")
    assert transcript("```console\n$ a\nb\n$ c\n```") == [("a", "b\n"), ("c", "")]


PAGES = [ROOT / "README.md", ROOT / "AGENTS.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.name))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in [ROOT / "README.md", ROOT / "AGENTS.md"]:
        assert set(re.findall(r"`make ([a-z]+)", page.read_text())) <= targets

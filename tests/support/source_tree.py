"""A source tree in the shape of the server's: small programs that say their names."""

import subprocess
from pathlib import Path

PACKAGES = ("server", "tools/sql", "tools/elasticsearch", "tools/tdbg", "tools/dsql")
_PROGRAM = """\
package main

import (
	"fmt"
	"os"
)

func main() {{
	fmt.Println("{name}", os.Args[1:])
}}
"""


def make(folder: Path, *, packages: tuple[str, ...] = PACKAGES) -> Path:
    """A Go module with these packages below cmd/ and a schema folder, committed to git."""
    (folder / "schema/dsql/temporal/versioned").mkdir(parents=True)
    (folder / "schema/dsql/temporal/versioned/README").write_text("of the tree\n")
    (folder / "go.mod").write_text("module go.temporal.io/server\n\ngo 1.26\n")
    for package in packages:
        (folder / "cmd" / package).mkdir(parents=True)
        program = folder / "cmd" / package / "main.go"
        program.write_text(_PROGRAM.format(name=package))
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", "first")
    return folder


def git(folder: Path, *words: str) -> str:
    """What git says in a folder."""
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

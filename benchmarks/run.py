"""How fast the commands are, each against doing the same by hand, as ratios of one run.

    python benchmarks/run.py [--rounds N]

Machines are noisy, so the two sides take turns and the medians of the ratios are what counts.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.deploy import COMMAND, Deploy, free_ports

BY_HAND = Path(__file__).with_name("by_hand.py")


def up_to_first_workflow(folder: Path) -> float:
    """Seconds from `dsql-deploy up` to its first completed workflow; its own line says when."""
    deploy = Deploy(folder)
    deploy.write_environment().unlink()
    ports = [f"--port={deploy.ports['frontend']}", f"--ui-port={deploy.ports['ui']}"]
    began = time.perf_counter()
    with deploy.start("up", "local", *ports) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "probe: workflow" in line:
                seconds = time.perf_counter() - began
        process.communicate()
    deploy.run("destroy", "--yes")
    return seconds


def by_hand_to_first_workflow(folder: Path) -> float:
    """Seconds from a bare `temporal server start-dev` to the first workflow of a small program."""
    port, ui = free_ports(2)
    began = time.perf_counter()
    command = [sys.executable, str(BY_HAND), str(folder / "by-hand.db"), str(port), str(ui)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - began
        process.communicate()
    return seconds


def command_seconds(*command: str) -> float:
    """Wall time of a whole process."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=os.environ)
    return time.perf_counter() - began


def compare(
    name: str, goal: str, ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> None:
    """Take turns and print the medians."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    ratio = statistics.median(a / b for a, b in pairs)
    a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"{name:<44} {a:7.3f} s  {b:7.3f} s  ratio {ratio:5.2f}  (goal: {goal})")


def main() -> None:
    """Run all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    print(f"{'median of ' + str(rounds) + ' rounds':<44} {'ours':>9}  {'by hand':>9}")
    with tempfile.TemporaryDirectory() as temporary:
        folders = (Path(temporary) / str(number) for number in range(10_000))

        def fresh() -> Path:
            folder = next(folders)
            folder.mkdir()
            return folder

        compare(
            "up to first completed workflow",
            "ratio <= 1.2",
            lambda: up_to_first_workflow(fresh()),
            lambda: by_hand_to_first_workflow(fresh()),
            rounds,
        )
    compare(
        "--help, by hand is python -c pass",
        "ours <= 0.150 s",
        lambda: command_seconds(str(COMMAND), "--help"),
        lambda: command_seconds(sys.executable, "-c", "pass"),
        rounds,
    )


if __name__ == "__main__":
    main()

"""How soon a command of ours says something."""

import time
from collections.abc import Callable

from tests.support.deploy import Deploy

COMPLETED = "probe: workflow"
"""Of the line that says how soon the first workflow of a probe has completed."""


def seconds_until(deploy: Deploy, *words: str, said: Callable[[str], bool]) -> float:
    """Seconds from the start of a command to a line of its progress; it then runs to its end."""
    began = time.perf_counter()
    with deploy.start(*words) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if said(line):
                break
        else:
            raise RuntimeError(f"`{' '.join(words)}` ended and never said it")
        seconds = time.perf_counter() - began
        process.communicate()
    return seconds

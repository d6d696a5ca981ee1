"""A line of a task's log, as it is shown."""

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.platforms.ecs.task_log import readable


@given(st.text(st.characters(blacklist_categories=["Cc"]), max_size=600))
def test_its_beginning_is_readable(line: str) -> None:
    said = readable(line)
    assert said == line or (len(line) > 200 and said == f"{line[:200]} …")


def test_colours_are_left_out() -> None:
    assert readable("\x1b[34mINFO\x1b[0m index is ready") == "INFO index is ready"

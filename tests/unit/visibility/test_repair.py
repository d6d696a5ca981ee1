"""An empty index that is made anew, stopped at any call in any way: the next repair goes on."""

import contextlib
import json
import re
import signal
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import (
    DeployError,
    NotReady,
    OpenSearchUnusable,
    Protected,
    StoppedHalfway,
)
from temporal_dsql_deploy.operations.visibility import repair
from temporal_dsql_deploy.operations.visibility.result import Request
from temporal_dsql_deploy.visibility import calls, index
from temporal_dsql_deploy.visibility.calls import Call
from tests.unit.visibility.world import NAME, REQUEST, document, row

LOST = "its answer is lost"
REFUSED = "it is not done"
INTERRUPTED = "Ctrl-C comes after it"
AWAY = "it is not done, and nothing is answered any more"
LOST_AWAY = "its answer is lost, and nothing is answered any more"
CUSTOMER = {"type": "keyword"}


class OpenSearch:
    """One that holds the index, and does with some calls what is said of them."""

    url = "http://127.0.0.1:9"

    def __init__(self) -> None:
        made = document()
        made["settings"] = {}
        made["mappings"]["properties"]["Customer"] = CUSTOMER
        made["aliases"] = {}
        self.index: dict[str, Any] | None = made
        self.documents = 0
        self.writes_when: Call | None = None
        """The call just before which somebody writes a document."""
        self.does: Mapping[int, str] = {}
        """What becomes of some of the calls that change something, by their number."""
        self.changes = 0
        self.away = False

    def request(self) -> Request:
        made: Any = self
        return replace(REQUEST, domain=made)

    def repair(self) -> None:
        request = self.request()
        repair.repair(request, repair.outlook(request), lambda _: None)

    def ask(self, call: Call) -> Any:
        answer = self.find(call)
        if answer is None:
            raise OpenSearchUnusable(f"{call} is answered 404")
        return answer

    def find(self, call: Call) -> Any | None:
        if self.away:
            raise OpenSearchUnusable("away", cause="it does not answer")
        if call == self.writes_when and self.index and calls.WRITE_BLOCK not in self._settings:
            self.documents += 1
        fate = ""
        if call.method != "GET":
            fate = self.does.get(self.changes, "")
            self.changes += 1
        self.away = fate in {AWAY, LOST_AWAY}
        answer = None if fate in {REFUSED, AWAY} else self._done(call)
        if fate == INTERRUPTED:
            signal.raise_signal(signal.SIGINT)
        elif fate:
            raise NotReady("busy", cause=fate)
        return answer

    def _done(self, call: Call) -> Any | None:
        path, _, _ = call.path.partition("?")
        rows = [row(NAME, self.documents)] if self.index else []
        fixed = {
            "/": {"version": {"distribution": "opensearch", "number": "2.19.1"}},
            "/_cluster/health": {"status": "green", "unassigned_shards": 0},
            "/_cluster/settings": {"persistent": {"action.auto_create_index": "false"}},
            f"/_template/{index.TEMPLATE}": {index.TEMPLATE: document()},
            "/_index_template": {},
            "/_cat/indices": rows,
        }
        return fixed[path] if path in fixed else self._of_index(call, path.removeprefix(f"/{NAME}"))

    def _of_index(self, call: Call, below: str) -> Any | None:
        if (call.method, below) == ("PUT", ""):
            return self._create(call)
        if self.index is None:
            return None
        match call.method, below:
            case "GET", "":
                return {NAME: self.index}
            case "DELETE", "":
                self.index, self.documents = None, 0
            case "GET", "/_count":
                return {"count": self.documents, "_shards": {"total": 1, "successful": 1}}
            case "PUT", "/_settings":
                self._set(call.body or {})
            case "PUT", "/_alias/dsql_deploy_repair":
                self.index["aliases"][calls.REPAIR] = {}
            case "DELETE", "/_alias/dsql_deploy_repair":
                return self.index["aliases"].pop(calls.REPAIR, None)
            case method, _:
                assert (method, below) == ("POST", "/_refresh")
        return {}

    def _create(self, call: Call) -> Any:
        assert self.index is None
        self.index = {**document(), "aliases": {}}
        further = (call.body or {}).get("mappings", {}).get("properties", {})
        self.index["mappings"]["properties"].update(further)
        return {}

    def _set(self, settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            self._settings.pop(name, None)
            self._settings.update({name: "true"} if value else {})

    @property
    def _settings(self) -> dict[str, Any]:
        return self.index["settings"] if self.index else {}

    def open(self) -> bool:
        """Whether it is there, and nothing that a repair has set is left in it."""
        if self.index is None:
            return False
        return "index.blocks.write" not in self.index["settings"] and not self.index["aliases"]

    def right(self) -> bool:
        """Whether it was made anew, with its search attribute."""
        if self.index is None or not self.open():
            return False
        mapping = self.index["mappings"]["properties"]
        return bool(self.index["settings"]) and mapping.get("Customer") == CUSTOMER


def follow(world: OpenSearch, fix: str) -> None:
    """Make the call that an error names."""
    told = re.search(r"PUT (/\S+) (\{.*\})", fix)
    assert told is not None, fix
    world.ask(Call("PUT", told[1], json.loads(told[2])))


FATES = st.dictionaries(
    st.integers(0, 8), st.sampled_from([LOST, REFUSED, INTERRUPTED, AWAY, LOST_AWAY]), max_size=3
)


@given(fates=FATES)
def test_wherever_it_is_stopped_the_next_one_goes_on(fates: Mapping[int, str]) -> None:
    world = OpenSearch()
    world.does = fates
    stopped: BaseException | None = None
    try:
        world.repair()
    except (DeployError, KeyboardInterrupt) as error:
        stopped = error
    assert (stopped is None) <= world.right()
    world.does, away, world.away = {}, world.away, False
    if world.index is None:
        assert isinstance(stopped, StoppedHalfway)
        follow(world, stopped.fix)
    elif not away and len(fates) == 1:
        # What it could take back it has taken back, but for a sign alone, which does no harm.
        assert "index.blocks.write" not in world.index["settings"]
    world.repair()
    assert world.right()


@given(fates=FATES)
def test_a_document_that_comes_meanwhile_is_never_deleted(fates: Mapping[int, str]) -> None:
    world = OpenSearch()
    world.does = fates
    world.writes_when = calls.block_writes(NAME, blocked=True)
    with contextlib.suppress(DeployError, KeyboardInterrupt):
        world.repair()
    world.does, world.away, world.writes_when = {}, False, None
    if world.documents == 0:
        # It was stopped before anybody wrote.
        return
    world.repair()
    assert world.documents > 0
    assert world.open()
    assert not world.right()


def test_what_has_come_meanwhile_is_said() -> None:
    world = OpenSearch()
    world.writes_when = calls.block_writes(NAME, blocked=True)
    with pytest.raises(Protected, match="not empty any more"):
        world.repair()
    assert world.open()


def test_without_search_attributes_setup_makes_it_again() -> None:
    world = OpenSearch()
    assert world.index is not None
    del world.index["mappings"]["properties"]["Customer"]
    # The sign, a look, the block, a look, the deletion.
    world.does = {5: REFUSED}
    with pytest.raises(StoppedHalfway) as raised:
        world.repair()
    assert world.index is None
    assert "dsql-deploy visibility setup ENV" in raised.value.fix

"""Which local image plays which, without an engine."""

from dataclasses import dataclass, field

import pytest

from temporal_dsql_deploy.errors import ImageUnusable
from temporal_dsql_deploy.images.engine import Image
from temporal_dsql_deploy.operations.images import found
from temporal_dsql_deploy.operations.staged.before import Named
from temporal_dsql_deploy.rehearsal import images

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
RUNTIME, TOOLS = (
    "temporal-dsql-runtime:sha-1-20261122100000",
    "temporal-dsql-admin-tools:sha-1-20261122100000",
)
OLD = "temporal-dsql-runtime:sha-0-20261121100000"
GRAFANA = "temporal-grafana:sha-1-20261122100000"
WANTED = [
    Named("temporal_image", f"{ECR}/temporal-dsql-runtime:v1"),
    Named("temporal_admin_tools_image", f"{ECR}/renamed@sha256:{'0' * 64}"),
    Named("images.ui", "temporalio/ui:2.54.1"),
    Named("images.loki", "grafana/loki:3.7.8"),
]


@dataclass
class FakeEngine:
    """An engine that has these images."""

    names: list[str]
    architecture: str = "amd64"
    asked: list[str] = field(default_factory=list)

    def labelled(self, _: str) -> list[Image]:
        known = {
            "runtime": "temporal-dsql-runtime",
            "admin-tools": "temporal-dsql-admin-tools",
            "grafana": "temporal-grafana",
        }
        return [
            Image(f"sha256:{name}", (name,), self.architecture, 1, {found.IMAGE: image})
            for name in self.names
            for image, repository in known.items()
            if name.startswith(f"{repository}:")
        ]

    def find(self, name: str) -> Image | None:
        there = name in self.names
        return Image("sha256:x", (name,), self.architecture, 1, {}) if there else None


def choose(wanted: list[Named], *names: str, architecture: str = "amd64") -> images.Chosen:
    engine = FakeEngine(list(names))
    return images.choose(wanted, engine, architecture)  # type: ignore[arg-type]


def test_ours_are_the_newest_that_were_built_whatever_they_are_called() -> None:
    chosen = choose(WANTED, OLD, RUNTIME, TOOLS)
    assert chosen.images == {WANTED[0].name: RUNTIME, WANTED[1].name: TOOLS}
    assert chosen.pause == TOOLS


def test_what_the_engine_has_plays_itself_and_the_rest_is_a_placeholder_that_is_named() -> None:
    chosen = choose(WANTED, RUNTIME, TOOLS, "temporalio/ui:2.54.1")
    assert chosen.images["temporalio/ui:2.54.1"] == "temporalio/ui:2.54.1"
    assert chosen.placeholders == {"grafana/loki:3.7.8": TOOLS}
    assert [one.instead_of for one in chosen.stand_ins][1:] == ["grafana/loki:3.7.8"]
    assert all(one.cannot_show for one in chosen.stand_ins)


def test_grafana_of_this_project_is_found_by_its_repository() -> None:
    wanted = [*WANTED, Named("images.grafana", f"{ECR}/temporal-grafana:v9")]
    assert choose(wanted, RUNTIME, TOOLS, GRAFANA).images[f"{ECR}/temporal-grafana:v9"] == GRAFANA
    assert f"{ECR}/temporal-grafana:v9" in choose(wanted, RUNTIME, TOOLS).placeholders


@pytest.mark.parametrize("lacking", ["runtime", "admin-tools"])
def test_one_of_this_project_that_was_not_built_is_told(lacking: str) -> None:
    there = [name for name in (RUNTIME, TOOLS) if lacking not in name]
    with pytest.raises(ImageUnusable, match=f"the image {lacking} was not built") as told:
        choose(WANTED, *there)
    assert "images build" in told.value.fix


def test_one_of_another_architecture_is_none() -> None:
    with pytest.raises(ImageUnusable):
        choose(WANTED, RUNTIME, TOOLS, architecture="arm64")

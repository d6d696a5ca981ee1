"""What `check` predicts of a plan that is wrong, seen on a cluster that stands: three mutants."""

from collections.abc import Iterator

import pytest

from tests.campaign import predictions
from tests.support.measured.base import Base
from tests.support.measured.predict import Prediction, predict
from tests.support.measured.standing import stands
from tests.support.mutants import mutants
from tests.support.rehearsal import NEEDS, StandingRehearsal

pytestmark = NEEDS
ROLE = 'temporal_service["{role}"].aws_ecs_task_definition.this'


@pytest.fixture
def base(standing_dev: StandingRehearsal) -> Iterator[Base]:
    with stands(standing_dev) as found:
        yield found


@pytest.mark.parametrize(
    ("mutant", "rule", "seen"),
    [
        pytest.param(
            'egress_rule.this["history-to-frontend-grpc"]: deleted',
            "reach-needed",
            ("path", "parent-close", "history -> frontend grpc"),
            id="firewall",
        ),
        pytest.param(
            f"{ROLE.format(role='worker')} "
            "temporal-worker.environment.TEMPORAL_ELASTICSEARCH_VERSION: deleted",
            "contract-runtime-required",
            ("start", "worker", "temporal-worker ended with exit code"),
            id="variable",
        ),
        pytest.param(
            f"{ROLE.format(role='history')} cpu: tenfold",
            "fit-task-size",
            ("place", "history", "insufficient CPU"),
            id="capacity",
        ),
    ],
)
def test_what_is_predicted_is_seen(
    base: Base, mutant: str, rule: str, seen: tuple[str, str, str]
) -> None:
    one = next(each for each in mutants(base.plan) if each.id.endswith(mutant))
    prediction = predict(base.plan, one)
    assert isinstance(prediction, Prediction)
    assert rule in prediction.rules
    (row,) = predictions.measured(base, [prediction])
    assert row.agrees, row
    how, part, words = seen
    assert row.seen.how == how
    assert part in row.seen.parts
    assert words in row.seen.said

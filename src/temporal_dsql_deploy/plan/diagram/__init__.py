"""A picture of what a plan makes: `draw(picture_of(plan))` is an SVG document."""

from temporal_dsql_deploy.plan.diagram.drawing import draw
from temporal_dsql_deploy.plan.diagram.picture import (
    Call,
    Link,
    Party,
    Picture,
    Zone,
    picture_of,
)

__all__ = ["Call", "Link", "Party", "Picture", "Zone", "draw", "picture_of"]

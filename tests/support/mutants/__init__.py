"""A plan with one thing in it deleted or altered, for every thing that there is.

Where a plan is altered is `places.json`; the values come from the type of what is there
(`values.py`), and neither knows any rule. Which rules are meant to see a kind of mutant is
`kinds.json`, from the meaning of the kind.
"""

from tests.support.mutants.model import Mutant
from tests.support.mutants.walk import mutants

__all__ = ["Mutant", "mutants"]

"""Transactions that DSQL refuses because of another one are begun again, as a whole."""

import random
import time
from collections.abc import Callable, Collection
from typing import TypeVar

_CONFLICTS = frozenset({"40001", "OC000", "OC001", "40P01"})
"""SQLSTATEs of a conflict: of data (OC000), or with a change of the schema (OC001). On DSQL's wire
the state is 40001 and its text names the other; AWS's own connectors look for all three. 40P01 is
PostgreSQL's deadlock_detected."""
_ATTEMPTS = 12
_FIRST, _LONGEST = 0.05, 5.0
"""Seconds to wait before the second attempt, and at most."""
_Done = TypeVar("_Done")


def retried(transaction: Callable[[], _Done], *, also: Collection[str] = ()) -> _Done:
    """What `transaction` returns, which must be one whole transaction.

    Only what the database says it has not done is tried again: a connection that is lost during a
    commit leaves that open. `also` is SQLSTATEs that are conflicts too for this one.
    Raises what `transaction` raises, after a dozen conflicts that too.
    """
    import psycopg

    for attempt in range(_ATTEMPTS - 1):
        try:
            return transaction()
        except psycopg.Error as error:
            if error.sqlstate not in _CONFLICTS and error.sqlstate not in also:
                raise
        longest = min(_LONGEST, _FIRST * 2**attempt)
        time.sleep(random.uniform(0, longest))  # noqa: S311 - only so that two are not in step
    return transaction()

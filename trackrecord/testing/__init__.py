"""A kit for the tests of a stage: batches against real tables, in any order, doubled and cut.

    with scratch_database() as settings:
        run = StageRun(STAGE, settings).of([entry, exit_])
        assert run.rows("signals") == [...]
        assert run.refused == []
        run.agrees_in_any_order()

`StageRun` hands batches to the stage's handler through the runtime's own transaction, in a
schema that the migrations have made. ``agrees_in_any_order`` does it again backwards, doubled,
one by one, shuffled, with two consumers at once and with crashes before a commit, and compares
what replay compares. ``trackrecord.testing.plugin`` has fixtures for pytest,
``trackrecord.testing.hypotheses`` draws arrangements for property tests; nothing else here needs
more than the extra ``services``.
"""

from trackrecord.testing.arrangements import Arrangement, arrangements, as_given, cut
from trackrecord.testing.database import find_database, scratch_database, scratch_schema
from trackrecord.testing.messages import AnyEvent, as_message, as_messages
from trackrecord.testing.stage_run import AppliedRun, Refused, StageRun
from trackrecord.testing.transaction import Member

__all__ = [
    "AnyEvent",
    "AppliedRun",
    "Arrangement",
    "Member",
    "Refused",
    "StageRun",
    "arrangements",
    "as_given",
    "as_message",
    "as_messages",
    "cut",
    "find_database",
    "scratch_database",
    "scratch_schema",
]

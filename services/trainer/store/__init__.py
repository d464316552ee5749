"""The tables of the trainer; nobody else writes them.

A run is a state machine: queued, running, then completed, refused or failed. Every change says
which epoch of the run it follows, in the transaction that writes what came of it. So a process
that was thought dead and comes back changes nothing.

=====================  =========================================================================
:mod:`.runs`           ``training_jobs``: asked for, taken up, alive, given back
:mod:`.endings`        all that is written at the end of a run, at once
:mod:`.training_log`   ``ml_training_log``
:mod:`.models`         ``models`` and ``model_files``
:mod:`.champions`      ``champions``
:mod:`.outbox`         the events
:mod:`.read_outcomes`  what the outcome_scorer recorded, only read
=====================  =========================================================================
"""

from __future__ import annotations

from typing import Final

STAGE: Final = "trainer"

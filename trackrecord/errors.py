"""Every error of ours, by what it says; all texts are for the person who runs the program.

::

    TrackrecordError
    ├── ConfigurationError     settings are wrong: every problem is named, exit 2
    ├── UnreachableError       a command found no broker, database or Dask cluster: exit 2
    ├── InputError             a command cannot read what it was given: exit 2
    ├── InvalidEventError      an event breaks a rule; raised before it is published
    ├── RuleError              a signal and its bars cannot be judged as they are
    ├── PackError              a rule pack of the extractor breaks its format
    ├── LabelError             a labelled text is not as it must be
    ├── BadBarsError           nothing can be judged on these bars
    ├── RefusedStrategyError   a strategy breaks its contract, or fails validation
    ├── StrategyFaultError     a strategy gave no decision on a bar
    ├── StrategyRefusedError   what was asked for a kept strategy is not done; says what to do
    ├── NoStrategyError        there is no such strategy, for this session to see
    ├── ConflictingRequestError  a request has the id of another one
    ├── SupersededRequestError a request is not this worker's any more
    ├── SandboxError           strategies cannot be run here, or not as safely as was asked for
    ├── TangledError           a sentence can be read in too many ways
    ├── TooFewError            there is too little to train or to judge a model with
    ├── TamperedError          a model's files are not those that were written
    ├── RefusedError           the champion is not changed as was asked for
    ├── SupersededError        a training run is not this process's any more
    ├── UnreadableError        what was posted is no JSON: 400
    ├── NameRefusedError       nobody and nothing may be called so
    ├── PasswordRefusedError   a text may not be a password
    ├── KeyRefusedError        an API key cannot be made as it was asked for
    ├── UserRefusedError       a user is not there, or may not be changed so
    ├── ClaimRefusedError      a name is somebody else's, or nobody's
    ├── LoginRefusedError      a name and password open nothing
    ├── TooManyAttemptsError   too many logins have failed: 429
    ├── TokenRefusedError      a token is not one of ours, or not good any more: 401
    ├── WeakSecretError        a secret is too short to sign tokens with
    ├── RoleRefusedError       a role of the database is not one to serve others with
    ├── DamagedRecordError     a spool file holds bytes that are no record
    ├── LocalStackError        the local stack: what failed, and what to do
    │   ├── PartsUnavailable   Kafka or Postgres cannot be had on this machine
    │   └── StackFailed        a part of it did not come up, or did not stop
    ├── ProblemError           a request of the HTTP API is answered with this problem
    ├── PassingError           a stage tries again with back-off and keeps its partitions
    │   ├── TooSlowError       the database ended a statement for its length: the batch is halved
    │   └── ExhaustedError     the HTTP API has no session of the database free: 503
    ├── BadContentError        the database refuses a value: its message is found and refused
    ├── FencedError            somebody else owns the partition: the stage leaves and rejoins
    └── FatalError             the process ends with the message
        └── HaltedError        ends so that no restart cures it: exit 3
            └── BeyondEndError a partition ends before what was already read of it

Each is declared where it is raised; those of a running stage are in
:mod:`trackrecord.runtime.errors`. Errors that callers catch as a ``ValueError`` or a
``RuntimeError`` are that too.
"""

from __future__ import annotations


class TrackrecordError(Exception):
    """Base of all errors of ours."""

"""Training beyond one machine: LightGBM's models fitted on the workers of a Dask cluster.

Each worker has a share of the rows, and they grow every tree together: histograms are summed over
a network of LightGBM's own. Only the finished model comes back, as LightGBM's text.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import lightgbm as lgb
import numpy as np

from trackrecord.learning.members import Fitter, fit_here
from trackrecord.learning.probabilities import Floats
from trackrecord.runtime.errors import ConfigurationError, UnreachableError

REACHED_WITHIN: Final = 10.0
"""Seconds until the scheduler has answered and a first worker has come."""

FITTED_WITHIN: Final = 3_600.0
"""Seconds that the fit of one model may take; a worker that hangs would hold it for ever."""
_GLANCE: Final = 1.0
"""Seconds between two looks at whether the workers are still there."""
_SILENT_MINUTES: Final = 10
"""After which workers give up one another."""
_ENOUGH: Final = 1_000
"""Rows of a worker. With fewer its part of the bins is found from too little, and the network
costs more than it saves."""

_NAMES: Final = {
    "boosting": "boosting_type",
    "bagging_freq": "subsample_freq",
    "bagging_fraction": "subsample",
    "feature_fraction": "colsample_bytree",
    "min_data_in_leaf": "min_child_samples",
    "lambda_l2": "reg_lambda",
    "seed": "random_state",
}
"""Parameters that LightGBM's estimators have another name for; given by both, one is ignored."""

_NETWORK: Final = {
    "num_machines": "1",
    "local_listen_port": "12400",
    "time_out": "120",
    "machines": "",
}
"""What LightGBM writes of the network into a model, and what it writes where there was none."""
_WRITTEN: Final = re.compile(rf"^\[({'|'.join(_NETWORK)}): .*\]$", re.MULTILINE)

_MISSING: Final = (
    "training on Dask needs packages that are not installed here ({}): pip install "
    "'trackrecord[learning,dask]', or leave the address of a Dask scheduler empty to train on this "
    "machine"
)


@contextmanager
def fitter_at(address: str, progress: Callable[[str], None] = lambda _: None) -> Iterator[Fitter]:
    """What fits LightGBM's models: the Dask cluster at an address, or this process where it is "".

    Args:
        address: Of the scheduler, such as ``tcp://127.0.0.1:8786``. Who answers there is trusted:
            Dask's processes exchange pickles.
        progress: Told in words where models are fitted.

    Raises:
        ConfigurationError: Packages are missing.
        UnreachableError: The scheduler does not answer, or has no workers.
    """
    if not address:
        yield fit_here
        return
    client = _connect(address)
    try:
        cluster = _Cluster(client, address)
        count = len(cluster.workers())
        progress(f"LightGBM's models are fitted by the Dask cluster at {address}, workers: {count}")
        yield cluster
    finally:
        client.close(timeout=REACHED_WITHIN)


def _connect(address: str) -> Any:
    try:
        # By name, as they need not be there and tell no types; lightgbm.dask needs pandas.
        _, _, distributed = map(import_module, ("pandas", "dask.array", "distributed"))
    except ImportError as error:
        raise ConfigurationError(_MISSING.format(error.name or error)) from None
    # Whatever is printed here would be among the answers of a command.
    lgb.register_logger(logging.getLogger("lightgbm"), "debug", "debug")
    try:
        client = distributed.Client(address, timeout=REACHED_WITHIN, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UnreachableError(
            f"no Dask scheduler answers at {address} ({error}): start one with `dask scheduler`, "
            "correct the address, or leave it empty to train on this machine"
        ) from None
    try:
        client.wait_for_workers(1, timeout=REACHED_WITHIN)
    except OSError:
        client.close(timeout=REACHED_WITHIN)
        raise UnreachableError(
            f"the Dask scheduler at {address} has no workers: start some with "
            f"`dask worker {address}`"
        ) from None
    return client


class _Cluster:
    """See :class:`trackrecord.learning.members.Fitter`."""

    def __init__(self, client: Any, address: str) -> None:
        self._client = client
        self._address = address

    def __call__(
        self,
        features: Floats,
        success: Floats,
        weights: Floats,
        rounds: int,
        parameters: Mapping[str, Any],
    ) -> str:
        # A LightGBM that waits for a worker that is gone, and Dask for such a task, wait for ever:
        # so they do it in a thread that is looked after from here, and left behind.
        workers = self.workers()[: max(1, len(success) // _ENOUGH)]
        ended = threading.Event()
        found: list[str | Exception] = []

        def fit() -> None:
            try:
                found.append(self._fit(workers, features, success, weights, rounds, parameters))
            except Exception as error:  # noqa: BLE001 - raised where it can be handled
                found.append(error)
            ended.set()

        threading.Thread(target=fit, name="dask", daemon=True).start()
        latest = time.monotonic() + FITTED_WITHIN
        while not ended.wait(_GLANCE):
            if time.monotonic() > latest:
                raise self._failed(f"a model was not fitted within {FITTED_WITHIN:.0f} seconds")
            if lost := set(workers) - set(self.workers()):
                raise self._failed(f"{', '.join(sorted(lost))} left while a model was fitted")
        [outcome] = found
        if isinstance(outcome, Exception):
            raise self._failed(f"{type(outcome).__name__}: {outcome}") from outcome
        return _WRITTEN.sub(lambda match: f"[{match[1]}: {_NETWORK[match[1]]}]", outcome)

    def workers(self) -> list[str]:
        """Addresses of the workers that there are now, in order.

        Raises:
            UnreachableError: The scheduler does not answer, or has none.
        """
        try:
            identity = self._client.sync(
                self._client.scheduler.identity, n_workers=-1, callback_timeout=REACHED_WITHIN
            )
        except OSError as error:
            raise self._failed(f"its scheduler does not answer any more: {error}") from None
        if not identity["workers"]:
            raise self._failed("it has no workers any more")
        return sorted(identity["workers"])

    def _failed(self, words: str) -> UnreachableError:
        return UnreachableError(
            f"the Dask cluster at {self._address} did not fit the models ({words}): see the logs "
            "of its workers, which need the packages of 'trackrecord[learning,dask]' at the "
            "versions that are installed here; then train again, or without Dask"
        )

    def _fit(
        self,
        workers: list[str],
        features: Floats,
        success: Floats,
        weights: Floats,
        rounds: int,
        parameters: Mapping[str, Any],
    ) -> str:
        # A regressor, though what is learnt are classes: a classifier would number the classes
        # that each worker happens to have.
        model = lgb.DaskLGBMRegressor(
            client=self._client,
            n_estimators=rounds,
            # Each worker would leave out what cannot part its own rows, though it can part all.
            feature_pre_filter=False,
            time_out=_SILENT_MINUTES,
            **{_NAMES.get(name, name): value for name, value in parameters.items()},
        )
        with self._client.as_current():
            model.fit(
                self._shared(workers, features),
                self._shared(workers, success),
                sample_weight=self._shared(workers, weights),
            )
        return str(model.booster_.model_to_string())

    def _shared(self, workers: list[str], values: Floats) -> Any:
        """Rows dealt out to workers in turn.

        They come in the order of time, and each worker finds the bins of some features from its
        own rows: with a stretch of time each, the bins would be those of that time.
        """
        array, delayed = import_module("dask.array"), import_module("dask.delayed").delayed
        parts = []
        for number, worker in enumerate(workers):
            part = np.ascontiguousarray(values[number :: len(workers)])
            future = self._client.scatter(part, workers=[worker], hash=False)
            parts.append(array.from_delayed(delayed(future), part.shape, part.dtype))
        return array.concatenate(parts)

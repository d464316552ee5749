"""Assessments as they are loaded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray


def assessment_rows(
    signal_id: pl.Series,
    features: NDArray[np.float64],
    probability: NDArray[np.float64] | None,
    verdicts: Sequence[str],
    qualities: Sequence[str],
) -> pl.DataFrame:
    """Assessments as they are loaded; nulls where no model is live."""
    nothing = [None] * len(signal_id)
    judged = probability is not None
    return pl.DataFrame(
        {
            "signal_id": signal_id,
            "features": [_array(row) for row in features.tolist()],
            "probability": probability if judged else nothing,
            "verdict": verdicts if judged else nothing,
            "quality": qualities if judged else nothing,
        },
        schema_overrides={
            "probability": pl.Float64, "verdict": pl.String, "quality": pl.String
        },
    )  # fmt: skip


def _array(values: Sequence[float]) -> str:
    """An array as Postgres reads it."""
    return "{" + ",".join(repr(each) if each == each else "NULL" for each in values) + "}"  # noqa: PLR0124 - NaN

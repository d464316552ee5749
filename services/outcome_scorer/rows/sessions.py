"""What bars say of the market as a whole."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

READ: Final = {"closed_at": pl.Int64, "moved": pl.Float64, "breadth": pl.Float64}
"""What the table answers; times in microseconds since 1970 UTC."""


def session_rows(
    bars: pl.DataFrame, moved: NDArray[np.float64], above: NDArray[np.float64]
) -> pl.DataFrame:
    """What bars say of the market as a whole, summed by close and partition."""
    values = bars.select("timeframe", "closed_us", "partition").with_columns(
        pl.Series("moved", moved).fill_nan(None), pl.Series("above", above).fill_nan(None)
    )
    return values.group_by("timeframe", pl.col("closed_us").alias("closed_at"), "partition").agg(
        pl.col("moved").sum(),
        pl.col("moved").count().alias("movers"),
        pl.col("above").sum().cast(pl.Int64),
        pl.col("above").count().alias("compared"),
    )

"""Numbers of other tools that ours differ from on purpose, and in what."""

from __future__ import annotations

from typing import Final

DIFFERENT: Final = {
    ("freqtrade", "max_drawdown_account_at_abs_max"): (
        "share of equity lost in the fall that is largest in money; ours is the fall that is "
        "largest as a share"
    ),
    ("freqtrade", "max_drawdown_abs_first_trade_is_first_peak"): (
        "the first peak is equity after the first trade; ours is the starting equity, so a first "
        "loss counts"
    ),
    ("QuantConnect/Lean", "lean.SharpeRatio"): (
        "mean / deviation of trade PnL; ours is of periodic returns. It is sqn / sqrt(n)"
    ),
    ("QuantConnect/Lean", "lean.MaximumIntraTradeDrawdown"): (
        "from excursions inside trades, which a list of closed trades does not hold"
    ),
    ("QuantConnect/Lean", "lean.AverageMAE"): "excursions need bars: they are of an outcome",
    ("QuantConnect/Lean", "lean.AverageMFE"): "excursions need bars: they are of an outcome",
    ("QuantConnect/Lean", "lean.LargestMAE"): "excursions need bars: they are of an outcome",
    ("QuantConnect/Lean", "lean.LargestMFE"): "excursions need bars: they are of an outcome",
    ("QuantConnect/Lean", "lean.WinLossRatio"): (
        "wins / losses by count, 10 without losses; ours is average win / average loss, in money"
    ),
    ("QuantConnect/Lean", "lean.ProfitFactor"): "10 without losses; ours is null (no_losses)",
    ("QuantConnect/Lean", "lean.ProfitToMaxDrawdownRatio"): (
        "10 without a drawdown; ours is null (no_drawdown)"
    ),
    ("nautilus_trader", "sharpe_ratio_252_ddof1"): (
        "compounds returns into calendar days first; ours takes the periods as given"
    ),
}
"""(tool, its name of the number): what its definition does that ours does not."""

ZERO_FOR_NONE: Final = frozenset(("QuantConnect/Lean",))
"""Tools that say 0 where a number is not defined (no wins, no losses, no recovery)."""

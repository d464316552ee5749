"""Script outputs for benchmarks: texts of about 600 characters, printed in eight ways.

Their numbers, times, symbols and remarks differ from run to run, like those of a script that runs
every day.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from trackrecord.events import ScriptExecuted

SYMBOLS = 500
_START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)

_REMARKS = (
    "Volume confirms the move",
    "Momentum is fading near resistance",
    "Breadth improved over the week",
    "Price holds above its rising average",
    "Spread is wide, use limit orders",
    "Earnings are due next month",
    "The range of the last month has broken",
    "Volatility is back to normal",
)
_MANNERS = (
    # A report for people, with indicators.
    """==================================================
  DAILY ANALYSIS  {day} {clock}
==================================================
Symbol: {symbol}
Current Price: ${price}
--------------------------------------------------
RSI(14): {rsi}   MACD: {macd}   Signal line: {macd2}
SMA 20: {sma}    SMA 50: {sma2}
Volume: {volume} ({ratio}x average)
Support: ${low}   Resistance: ${high}
--------------------------------------------------
{remark}.
{remark2}.

RECOMMENDATION: {action}
Entry Price: ${price}
Target Price: ${target}
Stop Loss: ${stop}
Confidence: {sure}%
==================================================
Analysis completed in 0.{volume2} s
""",
    # Log lines.
    """{day} {clock},104 INFO  loader: 250 bars of {symbol} until {day}
{day} {clock},131 INFO  features: rsi={rsi} macd={macd} atr={macd2}
{day} {clock},190 DEBUG model: logits [{ratio}, 0.{sure}, -1.{volume2}]
{day} {clock},201 INFO  regime: trending, {remark}
{day} {clock},203 INFO  risk: size {volume2} at 1.0 % of equity, spread {ratio} bp
{day} {clock},204 INFO  FINAL SIGNAL: {action} {symbol} @ {price} target={target} stop={stop}
{day} {clock},204 INFO  confidence: 0.{sure}
{day} {clock},209 INFO  features cached, {volume2} rows in 0.{sure} s
{day} {clock},210 INFO  done, next run tomorrow at 21:05
""",
    # One JSON document.
    """Loading model v2.{ratio} ... ok
Fetching bars for {symbol} ... {volume2} rows
{{
  "symbol": "{symbol}",
  "as_of": "{day}T{clock}Z",
  "indicators": {{"rsi": {rsi}, "macd": {macd}, "sma_20": {sma}, "sma_50": {sma2}}},
  "levels": {{"support": {low}, "resistance": {high}}},
  "volume": {volume},
  "comment": "{remark}; {remark2}",
  "recommendation": "{action}",
  "entry_price": {price},
  "target_price": {target},
  "stop_loss": {stop},
  "confidence": 0.{sure},
  "model": {{"name": "gbm", "trees": {volume2}, "auc": 0.{sure}}}
}}
Finished {day} {clock} in {ratio} seconds, cache hit rate {sure} %
""",
    # Several instruments in a table.
    """Screener run {day} {clock}, universe of {volume2} names, {remark}
Regime filter passed, liquidity filter passed, earnings filter passed

| Symbol | Price | RSI | Signal | Entry | Target | Stop |
|--------|-------|-----|--------|-------|--------|------|
| {symbol} | {price} | {rsi} | {action} | {price} | {target} | {stop} |
| {symbol2} | {sma} | {sure} | HOLD | {sma} | {high} | {low} |
| {symbol3} | {sma2} | {rsi} | HOLD | {sma2} | {high} | {low} |

{remark2}. Names below the cut are not shown.
Data until {day}; prices in USD; computed in {ratio} s on 4 workers.
""",
    # A backtest, which decides nothing.
    """Backtest of crossover on {symbol}, {volume} bars until {day}
Parameters: fast={rsi} slow={sma} fee=0.0{sure} slippage=0.0{ratio}
Total trades: {volume2}
Win rate: {sure}.5%
Profit factor: {ratio}
Total return: {macd}%
Max drawdown: -{rsi}%
Sharpe ratio: {ratio}
Sortino ratio: {ratio}
Best trade: +{rsi}%   Worst trade: -{ratio}%
Average holding time: {sure} bars
Exposure: {sure}.1%
{remark}. {remark2}.
Equity curve written to out/{symbol}_{volume2}.csv
Report written to out/{symbol}_{volume2}.html
Finished {day} {clock}, {ratio} s
""",
    # Prose, as a model of language writes it.
    """Here is my assessment of {symbol} as of {day}.

The share closed at ${price}, {macd}% away from its 20 day average of ${sma}. {remark},
while the relative strength index reads {rsi}. {remark2}. The nearest support lies at ${low}
and the nearest resistance at ${high}; a close beyond either would change the picture, and
turnover of {volume} shares is {ratio} times what is usual.

Taking everything together, my final recommendation is:

**{action}**

- Entry: ${price}
- Target: ${target}
- Stop loss: ${stop}
- Confidence: {sure}%
""",
    # Votes and a final line.
    """[{clock}] {symbol} votes, bar of {day}
  rsi      {rsi}   -> BUY
  macd     {macd}  -> SELL
  sma      {sma}   -> BUY
  volume   {volume} -> HOLD
  breadth  0.{sure} -> BUY
  spread   {ratio}  -> HOLD
Score {ratio} of 5, hit rate of this score 0.{sure} over {volume2} cases
Support {low}, resistance {high}, average true range {ratio}
{remark}. {remark2}.
No position is open. Costs of 0.0{sure}% are included.

Final decision for {symbol}: {action}
Entry {price} | Target {target} | Stop {stop}
next session opens at 09:30, levels are good for one day
""",
    # Nothing to say.
    """{day} {clock} starting monitor for {symbol}, {symbol2} and {symbol3}
connected to feed, latency {ratio} ms, {volume} ticks buffered
{symbol}: last {price}, bid {low}, ask {high}, volume {volume}
{symbol2}: last {sma}, rsi {rsi}, macd {macd}
{symbol3}: last {sma2}, rsi {sure}, macd {macd2}
{remark}. {remark2}.
no setup found: score {ratio} is below the threshold of 3.5
heartbeat ok, queue depth {sure}, dropped 0, reconnects 0
memory {volume2} MB, load 0.{sure}
portfolio heat 0.{sure} of 1.0, {volume2} symbols watched, nothing to do this time
disconnected {day} {clock}, slept {rsi} s of {sma} s
""",
)


def text(rng: random.Random, instant: datetime) -> tuple[str, str]:
    """Make what a script printed.

    Args:
        rng: Where its numbers come from.
        instant: When it printed it.

    Returns:
        The symbol it speaks of, and the text.
    """
    cents = rng.randrange(1_000, 90_000)
    action = rng.choice(("BUY", "SELL", "HOLD", "STRONG BUY"))
    up = -1 if action == "SELL" else 1
    symbol, symbol2, symbol3 = (_ticker(number) for number in rng.sample(range(SYMBOLS), 3))
    values = {
        "day": f"{instant:%Y-%m-%d}",
        "clock": f"{instant:%H:%M:%S}",
        "symbol": symbol,
        "symbol2": symbol2,
        "symbol3": symbol3,
        "action": action,
        "price": _money(cents),
        "target": _money(cents + up * (cents // 20)),
        "stop": _money(cents - up * (cents // 40)),
        "low": _money(cents * 9 // 10),
        "high": _money(cents * 11 // 10),
        "sma": _money(cents + rng.randrange(-90, 90)),
        "sma2": _money(cents + rng.randrange(-300, 300)),
        "rsi": f"{rng.uniform(10, 90):.1f}",
        "macd": f"{rng.uniform(-9, 9):+.2f}",
        "macd2": f"{rng.uniform(0, 9):.2f}",
        "ratio": f"{rng.uniform(0.3, 4):.2f}",
        "sure": rng.randrange(51, 99),
        "volume": f"{rng.randrange(10**5, 10**8):,}" if rng.random() < 0.5 else cents,  # noqa: PLR2004
        "volume2": rng.randrange(100, 999),
    }
    values["remark"], values["remark2"] = rng.sample(_REMARKS, 2)
    return symbol, rng.choice(_MANNERS).format(**values)


def _ticker(number: int) -> str:
    """A symbol of three or four letters."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    tail = letters[number % 26] + letters[number // 26 % 26] + letters[(number * 7 + 3) % 26]
    return f"{letters[(number * 5 + 1) % 26]}{tail}" if number % 3 else tail


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def events(count: int, seed: int) -> Iterator[ScriptExecuted]:
    """Runs of 40 scripts, a second apart; the same ones for the same arguments."""
    rng = random.Random(seed)
    for number in range(count):
        finished = _START + timedelta(seconds=number)
        _, output = text(rng, finished)
        yield ScriptExecuted(
            execution_id=f"{rng.getrandbits(128):032x}",
            script=f"script_{rng.randrange(40):02d}.py",
            program=f"python scripts/script_{number % 40:02d}.py --daily",
            started_at=finished - timedelta(milliseconds=rng.randrange(100, 60_000)),
            finished_at=finished,
            exit_code=0 if rng.random() < 0.98 else 1,  # noqa: PLR2004 - now and then one fails
            output=output,
            parameters={"universe": "large", "lookback": rng.randrange(20, 250)},
        )

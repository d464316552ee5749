"""A backtest as one page of HTML that needs no network, no script and no other file."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any, Final

from trackrecord.cli.strategy.backtest_chart import equity_chart, fall_chart
from trackrecord.cli.strategy.backtest_tables import figure, how, parameters, short, some, tries_of
from trackrecord.cli.text import printable

_MOST_TRADES: Final = 2_000
"""Trades on the page; all are in the JSON."""

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6470; --line: #d9dde3;
  --paper: #ffffff; --panel: #f5f6f8; --net: #2458c5; --hold: #8a8f98; --fall: #c23b3b;
  --good: #1c7c3c; --warn: #8a5a00; --bad: #b02a2a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa4b2; --line: #333a44;
  --paper: #14171b; --panel: #1c2026; --net: #7aa5ff; --hold: #8b94a1; --fall: #ff8080;
  --good: #6fd58f; --warn: #e9b949; --bad: #ff8f8f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.05rem; font-weight: 600; margin: 0; color: var(--soft); overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .5rem; }
.verdict { font-size: 2rem; font-weight: 700; line-height: 1.2; margin: .35rem 0 .25rem; }
.worth-trying { color: var(--good); } .worse-than-holding { color: var(--bad); }
.no-evidence, .no-evidence-yet, .too-few-to-tell { color: var(--warn); }
p { margin: .25rem 0; } .soft { color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .6rem;
  margin: 1.25rem 0 0; padding: 0; list-style: none; }
.figures li { background: var(--panel); border-radius: .5rem; padding: .6rem .75rem; }
.figures b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.figures span { color: var(--soft); font-size: .85rem; }
.wide { overflow-x: auto; max-width: 100%; }
.tall { overflow: auto; max-height: 32rem; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
.tall thead th { position: sticky; top: 0; background: var(--panel); }
th.left, td.left { text-align: left; } td.words { white-space: normal; min-width: 12rem; }
td.up { color: var(--good); } td.down { color: var(--bad); }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
.grid { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.zero { stroke: var(--soft); stroke-width: 1; vector-effect: non-scaling-stroke; }
.net, .gross, .holding { fill: none; stroke-width: 1.8; vector-effect: non-scaling-stroke;
  stroke-linejoin: round; }
.net { stroke: var(--net); } .gross { stroke: var(--net); stroke-width: 1; opacity: .45; }
.holding { stroke: var(--hold); } .fall { fill: var(--fall); opacity: .35; }
.edge { stroke: var(--soft); stroke-dasharray: 3 4; opacity: .5;
  vector-effect: non-scaling-stroke; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; color: var(--soft); font-size: .85rem;
  margin: .25rem 0; padding: 0; list-style: none; }
.key li::before { content: ""; display: inline-block; width: 1.4rem; height: .2rem;
  margin-right: .4rem; vertical-align: middle; background: var(--net); }
.key .of-gross::before { opacity: .45; } .key .of-holding::before { background: var(--hold); }
.key .of-windows::before { background: none; border-top: 2px dashed var(--soft); height: 0; }
.phone { display: none; }
@media (max-width: 40rem) { .phone { display: block; } .desk { display: none; }
  .verdict { font-size: 1.6rem; } main { padding: 1rem .75rem 2rem; }
  th, td { padding: .3rem .45rem; } .fit { font-size: .8rem; }
  .fit th, .fit td { padding: .3rem .25rem; } .fit td.left { white-space: normal; } }
ul.notes { padding-left: 1.1rem; } ul.notes li { margin: .2rem 0; }
details { margin-top: .5rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
"""

_ROWS: Final = (
    ("Closed trades", "closed", "{:,}"),
    ("Win rate", "win_rate", "{:.1%}"),
    ("Profit factor", "profit_factor", "{:.2f}"),
    ("Return, net", "total_return", "{:+.1%}"),
    ("Sharpe ratio", "sharpe", "{:.2f}"),
    ("Sortino ratio", "sortino", "{:.2f}"),
    ("Largest fall", "max_drawdown", "{:.1%}"),
    ("Mean trade, net", "average_return", "{:+.2%}"),
)


def page(answer: dict[str, Any]) -> str:
    """The whole page; what came from outside is text in it, never markup."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    name = _text(answer["strategy"]["file"])
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}: {_text(answer["verdict"])}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{_head(answer)}
{_figures(answer)}
<h2>Equity out of sample</h2>
{_key(answer)}
{equity_chart(answer, wide=True)}
{equity_chart(answer, wide=False)}
<h2>Below its best so far</h2>
{fall_chart(answer, wide=True)}
{fall_chart(answer, wide=False)}
<h2>In and out of sample</h2>
{_samples(answer)}
<h2>Windows</h2>
{_windows(answer)}
<h2>Trades out of sample</h2>
{_trades(answer)}
<h2>What is assumed, and what to know</h2>
{_notes(answer)}
</main>
</body>
</html>
"""


def _text(value: Any) -> str:
    return escape(printable(str(value)))


def _head(answer: dict[str, Any]) -> str:
    verdict = answer["verdict"]
    bars = answer["bars"]
    symbols = ", ".join(bars["symbols"][:8])
    if len(bars["symbols"]) > 8:  # noqa: PLR2004 - as many are named
        symbols += f" and {len(bars['symbols']) - 8} more"
    reads_as = answer["strategy"]["reads_as"]
    words = f'<p class="soft">{_text(reads_as)}</p>' if reads_as else ""
    return (
        f"<h1>{_text(answer['strategy']['file'])}</h1>\n"
        f'<p class="verdict {verdict.replace(" ", "-")}">{_text(verdict.capitalize())}</p>\n'
        f"<p>{_text(_sentence(answer['why']))}</p>\n{words}\n"
        f'<p class="soft">{_text(symbols)}: {bars["bars"]:,} bars of {_text(bars["timeframe"])}, '
        f"{bars['first']} to {bars['last']}</p>"
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."


def _figures(answer: dict[str, Any]) -> str:
    metrics, counts = answer["metrics"], answer["counts"]
    interval = metrics.get("sharpe_interval")
    told = f", 95 %: {interval[0]:.2f} to {interval[1]:.2f}" if interval else ""
    shown = (
        (figure(metrics["total_return"], "{:+.1%}"), "net of the capital"),
        (figure(answer["gross"]["total_return"], "{:+.1%}"), "gross of costs"),
        (figure(metrics["sharpe"], "{:.2f}"), f"Sharpe ratio{told}"),
        (
            figure(metrics["deflated_sharpe_ratio"], "{:.3f}"),
            f"deflated Sharpe ratio, {tries_of(answer)}",
        ),
        (figure(metrics["max_drawdown"], "{:.1%}"), "largest fall"),
        (f"{counts['closed']:,}", f"closed trades; {counts['open']} open, {counts['void']} void"),
    )
    items = "\n".join(
        f"<li><b>{value}</b><span>{_text(label)}</span></li>" for value, label in shown
    )
    return f'<ul class="figures">\n{items}\n</ul>'


def _key(answer: dict[str, Any]) -> str:
    windows = '<li class="of-windows">a window begins</li>' if len(answer["windows"]) > 1 else ""
    return (
        '<ul class="key"><li>net of costs</li><li class="of-gross">gross</li>'
        f'<li class="of-holding">holding the symbols</li>{windows}</ul>'
    )


def _samples(answer: dict[str, Any]) -> str:
    inside, outside, holding = answer["in_sample"], answer["out_of_sample"], answer["holding"]
    rows = "\n".join(
        f'<tr><td class="left">{label}</td><td>{figure(inside[name], form)}</td>'
        f"<td>{figure(outside[name], form)}</td>"
        f"<td>{figure(holding[name], form) if name in holding else ''}</td></tr>"
        for label, name, form in _ROWS
    )
    return (
        '<div class="wide"><table class="fit"><thead><tr><th class="left"></th>'
        f"<th>in sample<br>{inside['first']}<br>{inside['last']}</th>"
        f"<th>out of sample<br>{outside['first']}<br>{outside['last']}</th>"
        "<th>holding<br>the<br>symbols</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
        '<p class="soft">Holding buys every symbol once, for an equal share of the capital, and '
        "keeps it.</p>"
    )


def _windows(answer: dict[str, Any]) -> str:
    searched = any(each["in_sample_sharpe"] is not None for each in answer["windows"])
    more = '<th>Sharpe<br>in sample</th><th class="left">parameters</th>' if searched else ""
    rows = []
    for each in answer["windows"]:
        cells = (
            f'<td class="left">{each["first"]}</td><td class="left">{each["last"]}</td>'
            f"<td>{each['closed']:,}</td>{_signed(each['total_return'], '{:+.1%}')}"
            f"<td>{figure(each['sharpe'], '{:.2f}')}</td>"
        )
        if searched:
            cells += (
                f"<td>{figure(each['in_sample_sharpe'], '{:.2f}')}</td>"
                f'<td class="left words">{_text(parameters(each["parameters"]))}</td>'
            )
        rows.append(f"<tr>{cells}</tr>")
    return (
        '<div class="wide"><table><thead><tr><th class="left">from</th><th class="left">to</th>'
        f"<th>trades</th><th>return</th><th>Sharpe</th>{more}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _trades(answer: dict[str, Any]) -> str:
    every = answer["trades"]
    if not every:
        return "<p>There are none.</p>"
    rows = "\n".join(
        f'<tr><td class="left">{_text(each["symbol"])}</td>'
        f'<td class="left">{each["side"].lower()}</td>'
        f"<td>{each['entry_time'][:10]}</td><td>{each['entry_price'] or ''}</td>"
        f"<td>{(each['exit_time'] or '')[:10]}</td><td>{short(each['exit_price'])}</td>"
        f"{_signed(each['return'], '{:+.2%}')}<td>{each['bars_held'] or ''}</td>"
        f'<td class="left">{_text(how(each))}</td></tr>'
        for each in every[-_MOST_TRADES:]
    )
    left_out = (
        f'<p class="soft">The last {_MOST_TRADES:,} of {len(every):,}.</p>'
        if len(every) > _MOST_TRADES
        else ""
    )
    return (
        f'{left_out}<div class="tall"><table><thead><tr><th class="left">symbol</th>'
        '<th class="left">side</th><th>entered</th><th>at</th><th>left</th><th>at</th>'
        '<th>return</th><th>bars</th><th class="left">how</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _signed(value: float | None, form: str) -> str:
    if value is None:
        return "<td></td>"
    way = "up" if value > 0 else "down" if value < 0 else ""
    return f'<td class="{way}">{figure(value, form)}</td>'


def _notes(answer: dict[str, Any]) -> str:
    told = [*some(answer["notes"]), *answer["assumptions"]]
    known = answer["may_be_remembered"]
    if known:
        until = f" until {known['until']}" if known["until"] else ""
        told.insert(
            0,
            f"a language model wrote the code: {known['sessions']:,} of {known['of']:,} sessions"
            f"{until} may be remembered",
        )
    told.insert(0, f"costs are {figure(answer['cost_per_side'], '{:.3%}')} of each fill")
    items = "".join(f"<li>{_text(each)}</li>" for each in told)
    return f'<ul class="notes">{items}</ul>'

"""Strategies as bars come: which bar counts, what is decided on it, and what is said of it.

It is the fold of :mod:`trackrecord.strategies.simulate`, as a backtest folds a history; here it is
kept between two bars, and what happens in it becomes signals and exits.

===================  ==========================================================================
:mod:`.lines`        a symbol's last bars: which one counts, is late, or a correction
:mod:`.panel`        what rules answer on many windows at once
:mod:`.standing`     what a strategy holds of a symbol, one bar further, and as exact text
:mod:`.signals`      what that says to others: signals, and the exits that follow
===================  ==========================================================================
"""

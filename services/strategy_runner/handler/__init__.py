"""A batch of bars in; what strategies decide on them, as signals and exits.

==================  ===========================================================================
:mod:`.runner`      one batch, top to bottom: the :class:`StrategyRunner`
:mod:`.roster`      which strategies there are, ready to be asked
:mod:`.symbols`     what is kept in memory of symbols, and when it is read again
:mod:`.deciding`    bars are folded and decided upon, in the order in which they came
:mod:`.rules`       what rules answer on the bars, worked out for many at once
:mod:`.asking`      how the code of a strategy is asked, and how long that takes
:mod:`.noted`       what came of it, until it is written and published
==================  ===========================================================================
"""

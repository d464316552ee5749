"""Strategies that are kept: how they are made, judged and changed, and where they stand.

===================  ===========================================================================
:mod:`.life`         what may become of a strategy, and what may not
:mod:`.making`       from a request to a version
:mod:`.laboratory`   what a version is validated with
:mod:`.trial_bars`   the bars that it is tried on
:mod:`.answers`      what came of a request, in its row and its event
:mod:`.judging`      a backtest on the bars that came over Kafka
:mod:`.bars`         those bars
:mod:`.templates`    strategies ready to take
:mod:`.proposals`    what to try because of what a model learnt
:mod:`.store`        the tables
===================  ===========================================================================
"""

"""The tables of strategies that are kept, and of what was asked for.

====================  ==========================================================================
:mod:`.strategies`    ``strategies`` and ``strategy_versions``
:mod:`.requests`      ``strategy_requests``: what was asked for, from waiting to its end
:mod:`.endings`       how a request ends: strategy, answer and event in one transaction
:mod:`.attempts`      ``generation_log``: every question to a generator, and what came of it
:mod:`.tries`         ``strategy_tries``: what was ever backtested
====================  ==========================================================================
"""

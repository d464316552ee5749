"""A batch of bars, signals and exits in; assessments and outcomes out.

===================  ==========================================================================
:mod:`.scorer`       one batch, top to bottom: the :class:`OutcomeScorer`
:mod:`.bars`         its bars are written: which are new, late, corrections, conflicts
:mod:`.symbols`      what is kept in memory of symbols, and when it is read again
:mod:`.outcomes`     what bars say of signals
:mod:`.assessments`  what is known and thought of new signals
:mod:`.outgoing`     the events that tell both
===================  ==========================================================================
"""

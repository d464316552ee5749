"""Strategies that are kept: how they are made, judged and changed, and where they stand.

==============  ================================================================================
:mod:`.life`    what may become of a strategy, and what may not
:mod:`.store`   the tables
==============  ================================================================================
"""

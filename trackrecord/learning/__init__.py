"""Models that learn from outcomes, and take over only if they are better on unseen ones.

:func:`train` is one training; :mod:`trackrecord.learning.dataset` makes its rows.
"""

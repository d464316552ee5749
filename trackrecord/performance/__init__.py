"""Numbers: what a trade earned, and what a record of trades amounts to.

Pure functions of their arguments. Money is ``Decimal`` and exact; a number
that is not defined is ``None``, with a reason beside it.
"""

"""Who may see and change what: roles, passwords, tokens, keys, claims.

The modules here are rules: they know no table, no clock and no environment. What is kept of them is
in :mod:`trackrecord.access.store`.
"""

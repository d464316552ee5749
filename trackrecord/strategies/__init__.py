"""From a sentence to a strategy: its rule, its code, its backtest and the verdict on it.

Pure rules: what runs code is :mod:`trackrecord.sandbox`, what asks language models is
:mod:`trackrecord.providers`.
"""

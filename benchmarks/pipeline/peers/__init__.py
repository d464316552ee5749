"""The consumers that others would write, each a process of its own that runs until it is ended.

They get the easier job of :mod:`benchmarks.pipeline.peers.job`: exits that carry their entry, one
row for each and the sums per strategy and day. They match nothing and have no fence.
"""

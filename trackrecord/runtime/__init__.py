"""What carries events to rules and results to tables: the loop, offsets, outbox, dead letters.

A stage plugs a :class:`~trackrecord.runtime.stage.Handler` into a
:class:`~trackrecord.runtime.stage.Stage`; everything else happens here, and
``README.md`` in this folder says where.
"""

"""What strategy_gen does when it looks, and one request from its row to its end.

==================  ============================================================================
:mod:`.generator`   a look: publish, take requests up, ask language models beside
:mod:`.work`        one request: made, judged, written
:mod:`.sessions`    transactions, over one connection for each thread
:mod:`.in_hand`     which requests this process has, and signs of life for them
==================  ============================================================================
"""

"""What the trainer does when it looks, and a run from its row to its end.

========================  =====================================================================
:mod:`.trainer`           a look: end what was left, begin what is due, publish the end
:mod:`.training`          one run, in a process of its own
:mod:`.champion_changes`  which version serves, and back to one that served before
========================  =====================================================================
"""

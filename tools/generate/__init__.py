"""Files that follow from the code: written anew, or held against what stands there.

``regions`` puts written text into a file that people also write, ``contracts``, ``deployment``,
``dashboard`` and ``documents`` say what is written where, ``by_hand`` names what only a person
can write and the place for it.
"""

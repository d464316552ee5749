"""What runs: the stages, each in a folder of its own with the same files."""

STAGES = ("extractor", "signal_tracker")
"""The stages, in the order of the flow; each is ``services.<name>.service.STAGE``."""

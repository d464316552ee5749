"""The loop of the data plane: members of a group, their positions, and the batches they read."""

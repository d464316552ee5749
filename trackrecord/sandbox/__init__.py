"""Where the code of strategies runs: a machine of its own, in a process that can reach nothing."""

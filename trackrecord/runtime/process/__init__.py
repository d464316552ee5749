"""A stage as a process: how it starts, how it ends, and what memory and threads it may use."""

"""What operators do with a pipeline: tables, topics and dead letters."""

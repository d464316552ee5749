"""The local stack: real Kafka, real Postgres and the stages, as child processes."""

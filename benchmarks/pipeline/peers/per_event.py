"""Poll one event, insert it, commit: what most bots do."""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition

from benchmarks.pipeline.peers import job


def main() -> None:
    """Work until ended."""
    work = job.Work.from_environment()
    connection = work.connect()
    consumer = Consumer(
        {
            "bootstrap.servers": work.broker,
            "group.id": work.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.assign([TopicPartition(work.topic, each, 0) for each in range(work.partitions)])
    while True:
        message = consumer.poll(1)
        if message is None or message.error() is not None:
            continue
        job.write(connection, [job.read(message.value() or b"")])
        consumer.commit(message=message, asynchronous=True)


if __name__ == "__main__":
    main()

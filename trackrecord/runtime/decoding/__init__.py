"""From the messages of a poll to columns whose values keep the rules of the contract."""

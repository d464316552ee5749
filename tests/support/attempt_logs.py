"""What tests of providers share: a clock that can be set, and a log that only remembers."""

from __future__ import annotations

from trackrecord.providers.attempts import Attempt, Question, Result


class LogInMemory:
    """Keeps attempts for as long as it lives; ``full`` refuses what comes."""

    def __init__(self, *, full: str = "") -> None:
        self.questions: list[Question] = []
        self.results: dict[str, Result] = {}
        self.order: list[str] = []
        self.full = full

    def asking(self, question: Question) -> None:
        if self.full == "asking":
            raise OSError(28, "No space left on device")
        self.order.append("asking")
        self.questions.append(question)

    def ended(self, attempt_id: str, result: Result) -> None:
        if self.full == "ended":
            raise OSError(28, "No space left on device")
        self.order.append("ended")
        self.results[attempt_id] = result

    def attempts(self, limit: int | None = None) -> list[Attempt]:
        found = [
            Attempt(each, self.results.get(each.attempt_id, Result("asking")))
            for each in reversed(self.questions)
        ]
        return found[:limit]

    @property
    def statuses(self) -> list[str]:
        """In the order in which they were asked."""
        return [each.result.status for each in reversed(self.attempts())]

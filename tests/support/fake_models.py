"""A server on loopback that answers as Gemini, Anthropic and OpenAI do, and as badly as any may.

The real clients talk to it. Each request takes the next of the things it was told to do; the last
of them is done again and again. What it was sent is kept.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

Wire = Literal["gemini", "anthropic", "openai"]
WIRES: tuple[Wire, ...] = ("gemini", "anthropic", "openai")

THOUGHT = "```python\ndef execute_strategy(a, b):\n    return 'a thought is no answer'\n```"
"""What a model thinks aloud, where its wire has a place for that."""

_STOPS: dict[str, dict[Wire, str]] = {
    "finished": {"gemini": "STOP", "anthropic": "end_turn", "openai": "stop"},
    "truncated": {"gemini": "MAX_TOKENS", "anthropic": "max_tokens", "openai": "length"},
    "filtered": {"gemini": "SAFETY", "anthropic": "refusal", "openai": "content_filter"},
    "odd": {"gemini": "NOT_YET_INVENTED", "anthropic": "not_yet", "openai": "not_yet"},
}


@dataclass(frozen=True)
class Say:
    """Answer with a text; ``how`` is finished, truncated, filtered (by safety) or odd."""

    text: str
    how: str = "finished"


@dataclass(frozen=True)
class Refuse:
    """Say no the way this provider does: OpenAI in a field beside, Gemini by a blocked prompt."""


@dataclass(frozen=True)
class Status:
    """Answer with a status and an error in this provider's form, or with other bytes."""

    code: int
    message: str = "as you were told"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True)
class Raw:
    """Answer 200 with these bytes."""

    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Half:
    """Answer with the first half of a whole answer, and hang up."""

    text: str


@dataclass(frozen=True)
class Drip:
    """Answer byte for byte, with a pause between; ``headers`` begins with those."""

    text: str
    pause: float
    headers: bool = False


@dataclass(frozen=True)
class Silence:
    """Take the question and answer nothing until the server is closed."""


@dataclass(frozen=True)
class Endless:
    """Answer with spaces without end."""


Action = Say | Refuse | Status | Raw | Half | Drip | Silence | Endless


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    wire: Wire
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def key(self) -> str:
        """What it showed as its key, wherever its client puts it."""
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
        return bearer or self.headers.get("x-api-key") or self.headers.get("x-goog-api-key", "")

    @property
    def instructions(self) -> str:
        """What stands before the request."""
        if self.wire == "gemini":
            return str(self.body["systemInstruction"]["parts"][0]["text"])
        if self.wire == "anthropic":
            return str(self.body["system"])
        return str(self.body["messages"][0]["content"])

    @property
    def request(self) -> str:
        """What the model is asked."""
        if self.wire == "gemini":
            return str(self.body["contents"][0]["parts"][0]["text"])
        return str(self.body["messages"][-1]["content"])

    @property
    def tokens(self) -> int:
        """The limit of the answer."""
        if self.wire == "gemini":
            return int(self.body["generationConfig"]["maxOutputTokens"])
        limit = self.body.get("max_tokens") or self.body["max_completion_tokens"]
        return int(limit)


class FakeModels:
    """The server.

    Attributes:
        asked: What came, in order.
    """

    def __init__(self, actions: Sequence[Action]) -> None:
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._actions = list(actions)
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"models": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def root(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def url(self, wire: Wire) -> str:
        """What a client of this kind calls its base URL."""
        return f"{self.root}/v1" if wire == "openai" else self.root

    def take(self, asked: Asked) -> Action:
        """Keep what came, and say what to do about it."""
        with self._lock:
            self.asked.append(asked)
            return self._actions.pop(0) if len(self._actions) > 1 else self._actions[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def models(*actions: Action) -> Iterator[FakeModels]:
    """A server that does these things, one a request."""
    with FakeModels(actions) as server:
        yield server


def whole(wire: Wire, text: str, how: str = "finished") -> dict[str, Any]:
    """A good answer as this provider sends it: 100 tokens of question and 50 of answer."""
    stop = _STOPS[how][wire]
    if wire == "gemini":
        return {
            "candidates": [
                {
                    "content": {
                        "role": "model",
                        "parts": [{"text": THOUGHT, "thought": True}, {"text": text}],
                    },
                    "finishReason": stop,
                    "index": 0,
                }
            ],
            # What it has thought is counted beside what it has said.
            "usageMetadata": {
                "promptTokenCount": 100,
                "candidatesTokenCount": 20,
                "thoughtsTokenCount": 30,
                "totalTokenCount": 150,
            },
            "modelVersion": "fake-1",
        }
    if wire == "anthropic":
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "fake-1",
            "content": [
                {"type": "thinking", "thinking": THOUGHT, "signature": "s"},
                *([{"type": "text", "text": text}] if text else []),
            ],
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {"input_tokens": 100, "output_tokens": 50},
        }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "fake-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "finish_reason": stop,
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
    }


def refusal(wire: Wire) -> dict[str, Any]:
    """How this provider says no."""
    if wire == "gemini":
        return {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": 100, "totalTokenCount": 100},
            "modelVersion": "fake-1",
        }
    if wire == "anthropic":
        return whole(wire, "", "filtered")
    answer = whole(wire, "")
    answer["choices"][0]["message"] |= {"content": None, "refusal": "I cannot help with that."}
    return answer


def failure(wire: Wire, code: int, message: str) -> dict[str, Any]:
    """How this provider words a failure."""
    if wire == "gemini":
        return {"error": {"code": code, "message": message, "status": "AS_IT_IS"}}
    if wire == "anthropic":
        return {"type": "error", "error": {"type": "api_error", "message": message}}
    return {"error": {"message": message, "type": "api_error", "param": None, "code": None}}


def _wire(path: str) -> Wire | None:
    if path.endswith(":generateContent"):
        return "gemini"
    if path.startswith("/v1/messages"):
        return "anthropic"
    return "openai" if path == "/v1/chat/completions" else None


class _Handler(BaseHTTPRequestHandler):
    models: FakeModels
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        wire = _wire(self.path)
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        if wire is None:
            self._send(404, b"{}")
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        action = self.models.take(Asked(wire, self.path, headers, json.loads(body)))
        try:
            self._do(wire, action)
        except OSError:
            self.close_connection = True  # the client has gone

    def _do(self, wire: Wire, action: Action) -> None:
        match action:
            case Say(text, how):
                self._send(200, json.dumps(whole(wire, text, how)).encode())
            case Refuse():
                self._send(200, json.dumps(refusal(wire)).encode())
            case Status(code, message, headers, body):
                told = json.dumps(failure(wire, code, message)).encode()
                self._send(code, told if body is None else body, headers=headers)
            case Raw(body, content_type, headers):
                self._send(200, body, content_type, headers)
            case Half(text):
                answer = json.dumps(whole(wire, text)).encode()
                self._head(200, len(answer))
                self.wfile.write(answer[: len(answer) // 2])
                self.close_connection = True
            case Drip(text, pause, headers):
                self._drip(json.dumps(whole(wire, text)).encode(), pause, headers=headers)
            case Silence():
                self.models.closing.wait()
                self.close_connection = True
            case Endless():
                self._head(200, 1 << 40)
                while not self.models.closing.is_set():
                    self.wfile.write(b" " * 65_536)

    def _drip(self, answer: bytes, pause: float, *, headers: bool) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(answer)}"
        told = f"{head}\r\n\r\n".encode()
        if not headers:
            self.wfile.write(told)
        for byte in (told if headers else b"") + answer:
            if self.models.closing.wait(pause):
                break
            self.wfile.write(bytes([byte]))
        self.close_connection = True

    def _head(self, code: int, length: int, content_type: str = "application/json") -> None:
        self.send_response(code)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(length))
        self.end_headers()

    def _send(
        self,
        code: int,
        body: bytes,
        content_type: str = "application/json",
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.send_response(code)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def zipped_bomb(size: int) -> Raw:
    """An answer of a few bytes that unpacks to ``size``."""
    return Raw(gzip.compress(b" " * size), headers=(("content-encoding", "gzip"),))

"""Stand-ins for the ports of a venue: scripted answers over REST, and sockets that a test holds the other end of."""

import asyncio
import json
from collections import deque

from exchange.ports import RestAnswer, StreamClosedError


class ScriptedEntropy:
    """Jitter that a test chooses; 0.5 unless told."""

    def __init__(self, value=0.5):
        self.value = value

    def uniform(self):
        return self.value

    def token(self, length):
        return "0" * length


def answer(body, status=200, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RestAnswer(status, {name.replace("_", "-"): str(value) for name, value in headers.items()}, data)


class ScriptedRest:
    """Gives the answers of a script in turn; an exception in it is raised, a callable is asked."""

    def __init__(self, *script):
        self.script = deque(script)
        self.requests = []

    async def send(self, method, path, query, headers, deadline):
        self.requests.append((method, path, query.decode(), dict(headers), deadline))
        await asyncio.sleep(0)
        step = self.script.popleft() if len(self.script) > 1 else self.script[0]
        if callable(step):
            step = step(method, path, query)
        if isinstance(step, Exception):
            raise step
        return step


class HeldStream:
    """A socket whose venue side the test plays: it follows SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS."""

    def __init__(self, path):
        self.path = path
        self.subscribed = {}
        self.sent = []
        self.answers = True
        self.closed = False
        self._frames = asyncio.Queue()

    def push(self, frame):
        data = frame if isinstance(frame, bytes) else json.dumps(frame, separators=(",", ":")).encode()
        self._frames.put_nowait(data)

    def end(self, code=1006, reason="reset"):
        self._frames.put_nowait(StreamClosedError(code, reason))

    async def receive(self):
        frame = await self._frames.get()
        if isinstance(frame, StreamClosedError):
            raise frame
        return frame

    async def receive_many(self):
        return [await self.receive()]

    async def send(self, text):
        if self.closed:
            raise StreamClosedError(1006, "closed")
        request = json.loads(text)
        self.sent.append(request)
        if not self.answers:
            return
        result = None
        if request["method"] == "SUBSCRIBE":
            self.subscribed.update(dict.fromkeys(request["params"]))
        elif request["method"] == "UNSUBSCRIBE":
            for name in request["params"]:
                self.subscribed.pop(name, None)
        else:
            result = list(self.subscribed)
        self.push({"result": result, "id": request["id"]})

    async def ping(self, deadline):
        return None

    async def close(self):
        self.closed = True


class HeldDialer:
    """Opens HeldStreams; a script of exceptions makes the first attempts fail."""

    def __init__(self, *failures):
        self.failures = deque(failures)
        self.streams = []
        self.attempts = []
        self.kinds = deque()
        """Classes of the first streams, HeldStream afterwards."""

    async def connect(self, path, deadline):
        self.attempts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.01)
        if self.failures:
            raise self.failures.popleft()
        stream = (self.kinds.popleft() if self.kinds else HeldStream)(path)
        self.streams.append(stream)
        return stream


def book_frame(symbol="BTCUSDT", bid="100.0", ask="100.1", time=1_000):
    return {
        "stream": f"{symbol.lower()}@bookTicker",
        "data": {
            "e": "bookTicker", "u": 1, "E": time, "T": time, "s": symbol, "ps": symbol,
            "b": bid, "B": "1.5", "a": ask, "A": "2.5", "st": 1,
        },
    }  # fmt: skip

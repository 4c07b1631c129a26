"""A screen that lost its engine: a command never acts late, and every ticket gets an answer."""

import contextlib
import socket
import threading
import time

import pytest

from engine.adapters import remote_port
from engine.adapters.remote_port import NOT_SENT, RemotePort, wait_for_ack
from engine.commands import Ack, AckState, AskSignal, Resume
from engine.control import LENGTH, SOCKET_NAME, Hello, News, Pull, Send, Ticket, Welcome, packed, read_request
from engine.events import Event, EventKind, Severity
from engine.snapshot import NoAnswer

WAIT_S = 20.0


class Engine:
    """A socket that answers pulls, records commands, and can go away and come back."""

    def __init__(self, folder, *, dies_on_command=False, run="first", news=(), writes=True):
        self.commands = []
        self.pulls = threading.Event()
        self.given = threading.Event()
        self._dies = dies_on_command
        self.run, self.writes = run, writes
        self.news = list(news)
        """What the next pulls bring."""
        self.after = []
        """The event numbers that the pulls went on from."""
        path = folder / SOCKET_NAME
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._line = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        with contextlib.suppress(OSError), self._socket:
            self._line, _ = self._socket.accept()
            with self._line:
                while (request := self._read()) is not None and not self._gone(request):
                    self._line.sendall(packed(self._reply(request)))

    def _gone(self, request):
        return self._dies and isinstance(request, Send)

    def _read(self):
        head = self._line.recv(LENGTH.size, socket.MSG_WAITALL)
        return read_request(self._line.recv(LENGTH.unpack(head)[0], socket.MSG_WAITALL)) if head else None

    def _reply(self, request):
        if isinstance(request, Hello):
            return Welcome(writes=self.writes, run=self.run)
        if isinstance(request, Pull):
            self.pulls.set()
            self.after.append(request.after)
            return self.news.pop(0) if self.news else News(b"", (), 0)
        self.commands.append(request)
        self.given.set()
        return Ticket(len(self.commands))

    def leave(self):
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join(WAIT_S)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(remote_port, "AGAIN_S", 0.05)
    return tmp_path


@contextlib.contextmanager
def port_to(folder):
    port = RemotePort(folder, writes=True)
    try:
        yield port
    finally:
        port.stop()


def test_a_command_given_while_the_engine_is_gone_is_refused_and_never_acts_late(folder):
    first = Engine(folder)
    with port_to(folder) as port:
        assert first.pulls.wait(WAIT_S)
        first.leave()
        lost = wait_for_ack(port, port.send(Resume(), "test"), WAIT_S)
        late = wait_for_ack(port, port.send(Resume(), "test"), WAIT_S)
        second = Engine(folder)
        assert second.pulls.wait(WAIT_S)
        fresh = port.send(Resume(), "test")
        assert second.given.wait(WAIT_S)
    assert lost.state is late.state is AckState.REFUSED
    assert late.text == NOT_SENT
    assert [one.number for one in second.commands] == [fresh]
    second.leave()


def test_a_command_whose_engine_leaves_in_the_middle_is_told_as_unknown(folder):
    engine = Engine(folder, dies_on_command=True)
    with port_to(folder) as port:
        assert engine.pulls.wait(WAIT_S)
        ack = wait_for_ack(port, port.send(Resume(), "test"), WAIT_S)
    assert ack.state is AckState.REFUSED
    assert "not known" in ack.text
    engine.leave()


def test_a_question_while_the_engine_is_gone_gets_an_answer(folder):
    engine = Engine(folder)
    with port_to(folder) as port:
        assert engine.pulls.wait(WAIT_S)
        engine.leave()
        tickets = [port.ask(AskSignal("BTCUSDT")) for _ in range(2)]
        for ticket in tickets:
            for _ in range(400):
                if port.answer(ticket) is not None:
                    break
                threading.Event().wait(0.05)
            assert isinstance(port.answer(ticket), NoAnswer)


def events(*numbers):
    return tuple(Event(number, 0, EventKind.SYSTEM, Severity.INFO, f"event {number}") for number in numbers)


def until(holds):
    end = time.monotonic() + WAIT_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    assert holds()


def test_events_of_an_engine_that_restarted_are_numbered_on_and_none_is_missed(folder):
    first = Engine(folder, news=[News(b"", events(1, 2, 3), 0)])
    with port_to(folder) as port:
        until(lambda: port.events(0).events)
        first.leave()
        again = Engine(folder, run="second", news=[News(b"", events(1, 2), 0)])
        until(lambda: len(port.events(3).events) == 2)
        assert [(one.seq, one.text) for one in port.events(3).events] == [(4, "event 1"), (5, "event 2")]
        assert again.after[0] == 0


def test_a_line_that_broke_to_the_same_run_goes_on_where_it_stood(folder):
    first = Engine(folder, news=[News(b"", events(1, 2, 3), 0)])
    with port_to(folder) as port:
        until(lambda: port.events(0).events)
        first.leave()
        again = Engine(folder, news=[News(b"", events(4), 0)])
        until(lambda: port.events(3).events)
        assert again.after[0] == 3
        assert port.events(3).events[0].seq == 4


def test_the_right_to_give_commands_is_asked_for_again_and_after_each_connection(folder, monkeypatch):
    monkeypatch.setattr(remote_port, "RIGHT_S", 0.05)
    first = Engine(folder, writes=False)
    with port_to(folder) as port:
        assert not port.writes
        first.writes = True  # the other screen has left
        until(lambda: port.writes)
        first.leave()
        Engine(folder, writes=False)
        until(lambda: not port.writes)


def test_an_answer_nobody_understands_or_waits_for_is_told_and_the_line_lives_on(folder):
    bad = News(b"", (), 0, answers=((1, "Chart", b"\xc1"), (77, "Chart", b"")), acks=(Ack(88, AckState.DONE, ""),))
    engine = Engine(folder)
    with port_to(folder) as port:
        ticket = port.ask(AskSignal("x"))
        assert engine.given.wait(WAIT_S)
        engine.news.append(bad)
        until(lambda: port.answer(ticket) is not None)
        assert isinstance(port.answer(ticket), NoAnswer)
        assert "start engine and screen from the same program" in port.answer(ticket).text
        engine.pulls.clear()
        assert engine.pulls.wait(WAIT_S)

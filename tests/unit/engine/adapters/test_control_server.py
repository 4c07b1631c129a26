"""Who may give which command over the control socket."""

import asyncio

from engine.adapters.control_server import ControlServer
from engine.commands import Flatten, Halt, Resume
from engine.control import LENGTH, SOCKET_NAME, Hello, Refusal, Send, Ticket, packed, read_reply
from engine.port import LocalPort


async def client(folder, *, writes):
    reader, writer = await asyncio.open_unix_connection(str(folder / SOCKET_NAME))

    async def ask(request):
        writer.write(packed(request))
        (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
        return read_reply(await reader.readexactly(length))

    return await ask(Hello(writes)), ask, writer


def served(folder, story):
    async def run():
        port = LocalPort()
        given = []
        port.attach(asyncio.get_running_loop(), lambda _ticket, command, _by: given.append(command), print)
        server = ControlServer(port, folder, "a run")
        await server.start()
        try:
            await story()
            await asyncio.sleep(0)
            return given
        finally:
            await server.close()

    return asyncio.run(run())


def test_a_screen_that_holds_the_commands_does_not_keep_others_from_taking_risk_off(tmp_path):
    async def story():
        held, _, first = await client(tmp_path, writes=True)
        second_welcome, ask, second = await client(tmp_path, writes=True)
        assert held.writes
        assert not second_welcome.writes
        assert isinstance(await ask(Send(1, Resume(), "test")), Refusal)
        assert isinstance(await ask(Send(2, Halt(), "test")), Ticket)
        assert isinstance(await ask(Send(3, Flatten(), "test")), Ticket)
        first.close()
        second.close()

    assert served(tmp_path, story) == [Halt(), Flatten()]


def test_one_that_asked_only_to_look_gives_no_command_at_all(tmp_path):
    async def story():
        _, ask, line = await client(tmp_path, writes=False)
        assert isinstance(await ask(Send(1, Halt(), "test")), Refusal)
        line.close()

    assert served(tmp_path, story) == []


def test_every_welcome_names_the_run_so_that_a_restart_is_noticed(tmp_path):
    async def story():
        for writes in (True, True, False):
            welcome, _, writer = await client(tmp_path, writes=writes)
            writer.close()
            assert welcome.run == "a run"

    served(tmp_path, story)


def test_a_number_given_twice_is_carried_out_once(tmp_path):
    async def story():
        _, ask, line = await client(tmp_path, writes=True)
        first = await ask(Send(7, Resume(), "test"))
        assert await ask(Send(7, Resume(), "test")) == first
        line.close()

    assert served(tmp_path, story) == [Resume()]

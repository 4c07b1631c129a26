import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.utils import accept_key

from exchange.binance.socket import WebSocketDialer
from exchange.ports import NotSentError, StreamClosedError


def certificate(folder, address):
    """Write a certificate that speaks for one address and signs itself; return its path and the server's context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return str(folder / "cert.pem"), context


@contextlib.asynccontextmanager
async def tls_venue(context, *, frames=(), every=0.0):
    """A loopback venue that sends frames one by one, closes with 1000 when it is asked to, and echoes nothing."""
    writers = []

    async def handle(reader, writer):
        writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            key = next(
                line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key")
            )
            writer.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
            )
            for frame in frames:
                writer.write(frame)
                await writer.drain()
                await asyncio.sleep(every)
            await reader.read(1)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


async def test_frames_come_over_a_verified_connection_and_its_end_is_told(tmp_path, monkeypatch):
    trusted, context = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", trusted)
    texts = [f"frame {number}".encode() for number in range(300)]
    frames = [bytes((0x81, len(text))) + text for text in texts]
    async with tls_venue(context, frames=[*frames, b"\x88\x02\x03\xe9"]) as url:
        stream = await WebSocketDialer(url).connect("/market/stream", 5.0)
        received = []
        while len(received) < len(texts):
            received += await stream.receive_many()
        with pytest.raises(StreamClosedError) as caught:
            await stream.receive_many()
        await stream.close()
    assert received == texts
    assert caught.value.code == 1001


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    _, context = certificate(tmp_path, "127.0.0.1")
    async with tls_venue(context) as url:
        with pytest.raises(NotSentError, match="TLS"):
            await WebSocketDialer(url).connect("/market/stream", 5.0)


async def test_a_certificate_for_another_host_is_refused(tmp_path, monkeypatch):
    trusted, context = certificate(tmp_path, "127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", trusted)
    async with tls_venue(context) as url:
        with pytest.raises(NotSentError, match="TLS"):
            await WebSocketDialer(url).connect("/market/stream", 5.0)

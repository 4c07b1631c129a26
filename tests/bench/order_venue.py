"""A venue that acknowledges every order at once and does nothing else, so that a bench sees the client alone.

It is a program of its own, so that its CPU time is not the client's. Prints its port when it listens.
"""

import asyncio
import re
import sys

import uvloop

CLIENT_ID = re.compile(rb"newClientOrderId=([^&\s]+)")
ACK = (
    b'{"orderId":8886774,"symbol":"BTCUSDT","status":"NEW","clientOrderId":"%s","price":"60000.10","avgPrice":"0.00",'
    b'"origQty":"0.012","executedQty":"0.000","cumQty":"0.000","cumQuote":"0.00000","timeInForce":"GTC","type":"LIMIT",'
    b'"reduceOnly":false,"closePosition":false,"side":"BUY","positionSide":"BOTH","stopPrice":"0.00",'
    b'"workingType":"CONTRACT_PRICE","priceProtect":false,"origType":"LIMIT","priceMatch":"NONE",'
    b'"selfTradePreventionMode":"EXPIRE_MAKER","goodTillDate":0,"updateTime":1767600000000}'
)
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nX-MBX-USED-WEIGHT-1M: 1\r\n"
    b"X-MBX-ORDER-COUNT-10S: 1\r\nX-MBX-ORDER-COUNT-1M: 1\r\nConnection: keep-alive\r\n\r\n"
)


class Peer(asyncio.Protocol):
    """One connection. A request may come in pieces, and with a body."""

    def connection_made(self, transport):
        self.transport = transport
        self.received = b""

    def data_received(self, data):
        self.received += data
        head, blank, body = self.received.partition(b"\r\n\r\n")
        if not blank:
            return
        announced = re.search(rb"(?i)content-length: *(\d+)", head)
        if announced and len(body) < int(announced[1]):
            return
        client_id = CLIENT_ID.search(self.received)
        answer = ACK % (client_id[1] if client_id else b"none")
        self.received = b""
        self.transport.write(HEAD % len(answer) + answer)


class Orphan(asyncio.Protocol):
    """Ends the program when whoever started it is gone."""

    def connection_lost(self, exc):
        asyncio.get_running_loop().stop()


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Peer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.connect_read_pipe(Orphan, sys.stdin)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())

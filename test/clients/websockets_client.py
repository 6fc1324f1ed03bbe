"""A client with Python's websockets: websockets_client.py URL [CA-FILE].

It sends each line of standard input, and says what happens to it in lines of
JSON on standard output.
"""

import asyncio
import json
import ssl
import sys

import websockets


def tell(**event):
    print(json.dumps(event), flush=True)


async def send_lines(socket):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        await socket.send(line.decode().rstrip("\n"))


async def main(url, authority=None):
    context = ssl.create_default_context(cafile=authority) if authority else None
    async with websockets.connect(url, ssl=context) as socket:
        extensions = ", ".join(e.name for e in socket.extensions)
        tell(event="open", extensions=extensions)
        sending = asyncio.create_task(send_lines(socket))
        async for message in socket:
            tell(event="message" if isinstance(message, str) else "binary", text=str(message))
        sending.cancel()
    tell(event="close", code=socket.close_code, reason=socket.close_reason)


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except websockets.ConnectionClosedError as e:
        tell(event="close", code=e.rcvd.code if e.rcvd else 1006, reason=e.rcvd.reason if e.rcvd else "")

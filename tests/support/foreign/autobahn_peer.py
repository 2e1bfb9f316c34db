"""Autobahn|Python as a client of an echo server, and as one; README.md beside this file says what is asked of it."""

import asyncio
import sys

from autobahn.asyncio.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    WebSocketServerFactory,
    WebSocketServerProtocol,
)
from autobahn.websocket.compress import (
    PerMessageDeflateOffer,
    PerMessageDeflateOfferAccept,
    PerMessageDeflateResponseAccept,
)
from conversation import messages_to_send, say, tell


class Echo(WebSocketServerProtocol):
    """Answers each message with itself."""

    def onMessage(self, payload, isBinary):
        self.sendMessage(payload, isBinary)


class Talk(WebSocketClientProtocol):
    """Sends the next message when the one before has come back."""

    def onOpen(self):
        self.messages = messages_to_send()
        self.send_next()

    def send_next(self):
        message = next(self.messages, None)
        if message is None:
            self.sendClose(4000, "bye")
        else:
            is_text = isinstance(message, str)
            self.sendMessage(message.encode() if is_text else message, isBinary=not is_text)

    def onMessage(self, payload, isBinary):
        tell(payload if isBinary else payload.decode())
        self.send_next()

    def onClose(self, wasClean, code, reason):
        say(f"close {code}")
        asyncio.get_running_loop().stop()


def agree(offers):
    return next((PerMessageDeflateOfferAccept(one) for one in offers if isinstance(one, PerMessageDeflateOffer)), None)


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
if sys.argv[1] == "server":
    factory = WebSocketServerFactory()
    factory.protocol = Echo
    factory.setProtocolOptions(perMessageCompressionAccept=agree, echoCloseCodeReason=True)
    listening = loop.run_until_complete(loop.create_server(factory, "127.0.0.1", 0))
    say(listening.sockets[0].getsockname()[1])
else:
    host, port = sys.argv[2:]
    factory = WebSocketClientFactory(f"ws://{host}:{port}/")
    factory.protocol = Talk
    factory.setProtocolOptions(
        perMessageCompressionOffers=[PerMessageDeflateOffer()],
        perMessageCompressionAccept=PerMessageDeflateResponseAccept,
    )
    loop.run_until_complete(loop.create_connection(factory, host, int(port)))
loop.run_forever()

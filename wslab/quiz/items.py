"""items: the questions of the test of knowledge, each with its answers and the misconception in each wrong one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """One answer. `why` says what is right about it, or which misconception chooses it."""

    text: str
    why: str


@dataclass(frozen=True)
class Item:
    """A question about one concept, which `lesson` (the name of its file) treats."""

    concept: str
    lesson: str
    question: str
    right: Option
    wrong: tuple[Option, ...]

    @property
    def options(self) -> tuple[Option, ...]:
        """All answers, the right one first."""
        return (self.right, *self.wrong)


ITEMS = (
    Item(
        "a stream of bytes",
        "01-before-websocket",
        "A program calls `sendall` on a TCP socket three times, with 5 bytes each. "
        "What may the first `recv(4096)` at the other end return?",
        Option("any number of bytes from 1 to 15", "TCP carries bytes in order and keeps no other boundaries."),
        (
            Option("the 5 bytes of the first `sendall`", "This takes TCP for a carrier of messages."),
            Option("all 15 bytes, always", "`recv` does not wait for what is still on its way."),
            Option("4,096 bytes, once so many have arrived", "This takes the size of the buffer for a demand."),
        ),
    ),
    Item(
        "the four numbers of a connection",
        "11-watching-connections",
        "10,000 browsers hold a WebSocket open to the same server. How many ports does the server need for them?",
        Option("one", "A connection is named by two addresses and two ports, and the clients' ones differ."),
        (
            Option("10,000, one for each connection", "`accept` returns a new socket, but not a new port."),
            Option("10,001, one of them to listen", "`accept` returns a new socket, but not a new port."),
            Option("20,000: one to read and one to write", "TCP carries both directions on one connection."),
        ),
    ),
    Item(
        "the handshake's answer",
        "03-the-key-and-the-answer",
        "What does a correct `Sec-WebSocket-Accept` prove to the client?",
        Option(
            "that this request was read and answered as a WebSocket handshake",
            "It keeps a server that knows nothing of WebSocket, or an old answer from a cache, from being believed.",
        ),
        (
            Option("that the server is the one that the client meant", "Anybody can compute it; certificates do this."),
            Option("that the connection is encrypted from now on", "Nothing is encrypted; `wss` does this, with TLS."),
            Option("that the user is allowed to connect", "It knows no user; cookies or tokens do this."),
        ),
    ),
    Item(
        "the header Connection",
        "02-the-upgrade-request",
        "A request has the lines `Upgrade: websocket` and `Connection: keep-alive, Upgrade`. What must the server do?",
        Option("take it for a WebSocket request", "Connection is a list, and one of its tokens is `upgrade`."),
        (
            Option("refuse it: Connection must be `Upgrade`", "This compares a list as if it were one word."),
            Option("refuse it: the two options contradict each other", "Each stands for itself; Firefox sent both."),
            Option("answer it as ordinary HTTP, since `keep-alive` comes first", "The order of the list says nothing."),
        ),
    ),
    Item(
        "masking",
        "07-masking",
        "Somebody has recorded a connection to a `ws://` address. What do they need to read what the browser has sent?",
        Option("nothing else", "The masking key stands in each frame, right before what it masks."),
        (
            Option("the `Sec-WebSocket-Key` of the request", "That key is for the handshake alone."),
            Option("a key that only browser and server know", "This takes masking for encryption."),
            Option("it cannot be read: each frame has a new random key", "New it is, but it is sent along."),
        ),
    ),
    Item(
        "the length of a frame",
        "05-the-frame",
        "The seven bits for the length of a payload hold the number 126. How long is the payload?",
        Option("the next two bytes say it", "126 announces a number of 16 bits, and 127 one of 64."),
        (
            Option("126 bytes", "Only the numbers up to 125 are lengths; 126 and 127 are marks."),
            Option("the next eight bytes say it", "That is 127."),
            Option("126 bytes and as many as the next byte says", "The number that follows is the whole length."),
        ),
    ),
    Item(
        "send() before open",
        "12-the-browsers-websocket",
        'A page runs `ws = new WebSocket(url); ws.send("hi")`. What happens?',
        Option("`send` throws an InvalidStateError", "The state is still CONNECTING; wait for the event `open`."),
        (
            Option("the text waits, and is sent when the connection is open", "No browser queues before `open`."),
            Option("the text is lost, and nothing says so", "That is what happens after the close, not before `open`."),
            Option("the connection fails with an `error` event", "The connection goes on; only the call fails."),
        ),
    ),
    Item(
        "send() after close",
        "12-the-browsers-websocket",
        'A connection has been closed. Then the page calls `ws.send("hi")`. What happens?',
        Option("the text is lost, and no exception says so", "Only `bufferedAmount` grows."),
        (
            Option("`send` throws an InvalidStateError", "It does so in CONNECTING only."),
            Option("the browser connects again and sends it", "A WebSocket never reconnects by itself."),
            Option("an `error` event is fired", "After `close` no event comes any more."),
        ),
    ),
    Item(
        "ping in a browser",
        "14-ping-silence-goodbye",
        "How does a page send a ping frame?",
        Option("it cannot", "Browsers answer pings, but no script sees or sends one."),
        (
            Option("with `ws.ping()`", "Libraries for servers have this; browsers do not."),
            Option("with `ws.send()` of bytes that begin with 0x89", "They become the payload of a binary message."),
            Option('with `ws.send("ping")`', "That is a text message with four letters."),
        ),
    ),
    Item(
        "close codes",
        "14-ping-silence-goodbye",
        "A page sees the close code 1006. Who has sent it?",
        Option("nobody", "It stands for a connection that ended without a close frame, and is never on the wire."),
        (
            Option("the server, which had an error", "A server with an error sends 1011."),
            Option("a proxy between the two", "A proxy may have cut the connection, but it sent no code."),
            Option("the browser, to the server", "1006 must not be sent by anybody."),
        ),
    ),
    Item(
        "silence",
        "14-ping-silence-goodbye",
        "A laptop's network cable is pulled while nothing is being sent. When does the server learn of it?",
        Option("perhaps never, unless it sends something and waits in vain", "An idle TCP connection sends nothing."),
        (
            Option("at once: TCP ends the connection", "TCP only notices when something is sent and not confirmed."),
            Option("as soon as the browser's close frame arrives", "The cable that would carry it is out."),
            Option("within a minute: WebSocket pings by itself", "The protocol has pings, but nobody has to send any."),
        ),
    ),
    Item(
        "what send() says",
        "16-moving-data-well",
        "`send()` has returned, and there was no exception. What do you know?",
        Option("that your own side has taken the data", "Only an answer of the other program says more."),
        (
            Option("that the data has left this machine", "It may wait in the buffer of the kernel for a long time."),
            Option("that the other machine has it", "TCP's confirmations are not shown to the program."),
            Option("that the other program has read it", "Not even a confirmation by TCP says that."),
        ),
    ),
    Item(
        "compression",
        "15-compression",
        "Both sides have agreed on permessage-deflate. Which messages are smaller on the wire now?",
        Option(
            "it depends on the message: some become larger, and some are not compressed at all",
            "Deflate cannot shrink what has no pattern, and the sender chooses for each message.",
        ),
        (
            Option("all of them", "Deflate makes short or random data larger."),
            Option("all text messages, but no binary ones", "The content decides, not the type."),
            Option("none is larger: a good deflater stops in time", "What it adds stays, if it is used."),
        ),
    ),
    Item(
        "other origins",
        "17-security",
        "What keeps a page of a foreign site from opening a WebSocket to your server?",
        Option("your server, if it checks the header Origin", "The browser says where the page comes from, no more."),
        (
            Option(
                "CORS: the browser asks your server first", "CORS is about `fetch`; nobody asks before a WebSocket."
            ),
            Option("the same-origin policy of the browser", "It does not reach WebSockets."),
            Option("`Sec-WebSocket-Key`, which a foreign page cannot compute", "The browser sets it for every page."),
        ),
    ),
)
DO_NOT_KNOW = Option("I do not know", "An honest answer; the lesson will tell you.")

"""Lesson 01 in false worlds: its experiments on streams, HTTP and news say something else where their rules fail."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "01-before-websocket"

A_RECV_BRINGS_ONE_WORD = """
take = socket.socket.recv
def take_one_word(self, size, flags=0):
    return take(self, size if flags else min(size, 3), flags)
socket.socket.recv = take_one_word
"""

A_RECV_BRINGS_WHAT_WAS_SENT = """
take = socket.socket.recv
def take_all(self, size, flags=0):
    return take(self, max(size, 11), flags)
socket.socket.recv = take_all
server_end.settimeout(1)
"""

THE_WORDS_ARE_SENT_ONCE_MORE = """
for word in (b"one", b"two", b"three"):
    client_end.sendall(word)
"""

A_REQUEST_ENDS_WITH_ANY_LINE = """
from wslab.labs import news
parse = news.parse_request
def parse_lines(data):
    found = parse(data) or parse(data + b"\\r\\n")
    return found and (found[0], min(found[1], len(data)))
news.parse_request = parse_lines
"""

HEADERS_COST_NOTHING = 'headers = "\\r\\n"'

THE_SERVER_NEVER_WAITS = """
from wslab.labs.news import News
News.wait_after = lambda self, count, timeout=30: self.after(count)
"""

A_FRAME_COSTS_AS_MUCH_AS_A_REQUEST = """
from wslab.protocol import messages
serialize = messages.serialize_messages
def serialize_with_headers(texts, keys):
    return serialize([text if text == "connected" else text.ljust(400) for text in texts], keys)
messages.serialize_messages = serialize_with_headers
"""

BEING_TOLD_IS_LATE = """
import time
from wslab.labs.news import News
follow = News._follow
def follow_late(self, count):
    for text in follow(self, count):
        time.sleep(0.5)
        yield text
News._follow = follow_late
"""

SERVERS_ECHO_PLAIN_BYTES = """
import socketserver
import threading
class EchoBytes(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(self.request.recv(4096))
class PlainServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    def __init__(self):
        super().__init__(("127.0.0.1", 0), EchoBytes)
        self.url = f"ws://127.0.0.1:{self.server_address[1]}/"
    def start(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self
wslab.EchoServer = PlainServer
"""

PLAIN_BYTES_BECOME_MESSAGES = """
from wslab.sockets.connection import Connection
Connection.send_raw = Connection.send
"""

CLIENTS_DO_NOT_ASK = """
from wslab.protocol.messages import MessageWriter
MessageWriter.write_head = lambda self, head: self._output.append(b"Hello")
"""


@pytest.mark.parametrize(
    ("world", "cell", "after"),
    [
        pytest.param(A_RECV_BRINGS_ONE_WORD, "recv-once", "send-three", id="one-recv-for-one-send"),
        pytest.param(A_RECV_BRINGS_WHAT_WAS_SENT, "recv-four", "recv-once", id="recv-brings-what-was-sent"),
        pytest.param(A_REQUEST_ENDS_WITH_ANY_LINE, "no-crlf", None, id="the-empty-line-is-decoration"),
        pytest.param(HEADERS_COST_NOTHING, "poll-nothing", "headers", id="headers-cost-nothing"),
        pytest.param(THE_SERVER_NEVER_WAITS, "long-poll", None, id="the-server-never-waits"),
        pytest.param(A_FRAME_COSTS_AS_MUCH_AS_A_REQUEST, "bytes-seen", None, id="frames-cost-as-much"),
        pytest.param(BEING_TOLD_IS_LATE, "figure", None, id="being-told-is-late"),
        pytest.param(SERVERS_ECHO_PLAIN_BYTES, "plain-client", "once-an-hour", id="a-socket-is-a-websocket"),
        pytest.param(CLIENTS_DO_NOT_ASK, "plain-server", "plain-client", id="a-websocket-is-a-socket"),
        pytest.param(PLAIN_BYTES_BECOME_MESSAGES, "raw-after-handshake", None, id="bytes-are-messages"),
    ],
)
def test_the_experiment_says_something_else_where_its_rule_does_not_hold(world, cell, after):
    assert cell in changed_cells(LESSON, world, until=cell, after=after)


def test_words_that_are_sent_twice_arrive_in_one_lump_too():
    changed = changed_cells(LESSON, THE_WORDS_ARE_SENT_ONCE_MORE, until="recv-once", after="send-three")
    assert changed == {"recv-once": "b'onetwothreeonetwothree'"}

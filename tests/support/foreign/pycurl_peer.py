"""libcurl as a client of an echo server (it has no server); README.md beside this file says what is asked of it."""

import select
import sys

import pycurl
from conversation import messages_to_send, say, tell

BYE = (4000).to_bytes(2, "big") + b"bye"


def wait(curl, for_writing):
    number = curl.getinfo(pycurl.ACTIVESOCKET)
    select.select([] if for_writing else [number], [number] if for_writing else [], [], 20)


def send(curl, data, flags):
    view = memoryview(data)
    while True:
        try:
            sent = curl.ws_send(view, flags)
        except BlockingIOError:
            sent = 0
            wait(curl, for_writing=True)
        view = view[sent:]
        if not view:
            return


def receive(curl):
    data = b""
    while True:
        try:
            piece, meta = curl.ws_recv(65536)
        except BlockingIOError:
            wait(curl, for_writing=False)
            continue
        data += piece
        if not meta.bytesleft and not meta.flags & pycurl.WS_CONT:
            return data, meta.flags


_, _, host, port = sys.argv
curl = pycurl.Curl()
curl.setopt(pycurl.URL, f"ws://{host}:{port}/")
curl.setopt(pycurl.CONNECT_ONLY, 2)
curl.perform()
for message in messages_to_send():
    is_text = isinstance(message, str)
    send(curl, message.encode() if is_text else message, pycurl.WS_TEXT if is_text else pycurl.WS_BINARY)
    answer, flags = receive(curl)
    tell(answer.decode() if flags & pycurl.WS_TEXT else answer)
send(curl, BYE, pycurl.WS_CLOSE)
answer, flags = receive(curl)
assert flags & pycurl.WS_CLOSE
say(f"close {int.from_bytes(answer[:2], 'big')}")

"""Wrong solutions of the exercises: each with words by which the report must name the fault."""

from support.learners import edited

# ruff: noqa: E501 - a solution stands in one line where it can be read so

Wrong = tuple[str, tuple[str, ...]]

HEAD = "import zlib, random as chance, socket, threading\nfrom wslab import *\nTAIL = b'\\x00\\x00\\xff\\xff'\n"


def whole(body: str, *words: str) -> Wrong:
    """A solution that was written from scratch."""
    return HEAD + body, words


def change(name: str, old: str, new: str, *words: str) -> Wrong:
    """The reference with one change."""
    return edited(name, (old, new)), words


def script(body: str, *words: str) -> Wrong:
    """JavaScript in the function that returns it, behind the line that opens the socket."""
    text = f"const socket = new WebSocket(url);\n{body}"
    return f"def three_echoes():\n    return {text!r}\n", words


ONOPEN = "socket.onopen = () => { for (const text of ['a', 'b', 'c']) socket.send(text); };\n"
ONMESSAGE = "let count = 0;\nsocket.onmessage = () => { count += 1; if (count === 3) socket.close(4001); };\n"
ONCLOSE = "socket.onclose = () => done();\n"
DEFLATE_OFFERS = "def answer_deflate(offers):\n    "
BACKOFF = "def backoff(attempt, random):\n    return "
DEFLATED = "def deflate_message(payload):\n    "
INFLATED = "def inflate_message(data, max_size):\n    "
READ = "def read_exactly(sock, count):\n    "
SHOUT = "def shout(connection):\n    "
BROADCAST = "def broadcast(members, message):\n    "

WRONG: dict[str, list[Wrong]] = {
    "read_exactly": [
        whole(
            "def read_exactly(sock, count):\n    data = b''\n    with sock:\n        while len(data) < count:\n            piece = sock.recv(count - len(data))\n            if not piece: raise EOFError\n            data += piece\n    return data",
            "it is still open: It is False",
        ),
        whole(READ + "return sock.recv(4096)[:count]", "lost for the next reader"),
        whole(READ + "return sock.recv(count)", "ask again for the rest"),
        whole(READ + "return b''.join(sock.recv(1) for _ in range(count))", "EOFError"),
        whole(READ + "return sock.makefile('rb').read(count)", "not one byte too many", "left to be read"),
        whole(
            "def read_exactly(sock, count):\n  data = b''\n  while len(data) < count: data += sock.recv(count - len(data))\n"
            "  return data",
            "never returned",
            "a loop that never ends",
        ),
        change("read_exactly", "EOFError(", "ConnectionError(", "EOFError", "another one"),
        change("read_exactly", "while len(data) < count:", "while True:", "EOFError"),
        change("read_exactly", "sock.recv(count - len(data))", "sock.recv(count)", "what is missing"),
        change("read_exactly", "len(data) < count", "len(data) <= count", "came"),
        change("read_exactly", "data += piece", "data = piece", "pieces"),
        change("read_exactly", "return data", "return data.strip()", "were expected"),
        change("read_exactly", "return data", "return data.decode('latin-1')", "Text came back where bytes belong"),
        whole(
            "def read_exactly(sock, count):\n    sock.settimeout(0.02)\n    out = b''\n    while len(out) < count:\n        try: p = sock.recv(count - len(out))\n        except TimeoutError: raise EOFError\n        if not p: raise EOFError\n        out += p\n    return out",
            "it still blocks",
        ),
    ],
    "wants_websocket": [
        whole("def wants_websocket(headers):\n    return dict(headers).get('Upgrade') == 'websocket'", "any case"),
        whole(
            "def wants_websocket(headers):\n    h = {n.lower(): v.lower() for n, v in headers}\n"
            "    return h['upgrade'] == 'websocket' and 'upgrade' in h['connection']",
            "KeyError",
        ),
        whole(
            "def wants_websocket(headers):\n    h = {n.lower(): v.lower() for n, v in headers}\n"
            "    return h.get('upgrade') == 'websocket' and 'upgrade' in h.get('connection', '')",
            "lists with commas",
        ),
        change("wants_websocket", ".strip()", "", "blanks"),
        change("wants_websocket", 'value.split(",")', "value.split()", "commas"),
        change("wants_websocket", ' and lists("connection"', ' or lists("connection"', "looks alike"),
        change("wants_websocket", "item.strip().lower()", "item.strip()", "case"),
        change("wants_websocket", "found.lower() == name", "name in found.lower()", "looks alike", "X-Upgrade"),
        change("wants_websocket", "item.strip()", 'item.strip().partition("/")[0]', "websocket/13 is another one"),
        change("wants_websocket", 'split(",")', 'split(", ")', "split the list at the comma alone"),
        change("wants_websocket", "item.strip()", 'item.strip(" ")', "strip blanks and tabs"),
        change("wants_websocket", "found.lower() == name", "found.lower().startswith(name)", "compare whole names"),
        change(
            "wants_websocket", 'value.split(",")', 'value.replace(";", ",").split(",")', "A semicolon does not divide"
        ),
        change("wants_websocket", 'value.split(",")', 'value.split(",")[-1:]', "Only the last item of a list"),
        change("wants_websocket", 'value.split(",")', 'value.split(",")[:1]', "Only the first item of a list"),
        change(
            "wants_websocket", "found.lower() == name", "found.lower() in ('upgrade', 'connection')", "its own header"
        ),
    ],
    "accept_key": [
        whole("def accept_key(key):\n    return key[::-1]", "expected"),
        change("accept_key", "key + GUID", "key.strip('=') + GUID", "expected"),
        change("accept_key", ".decode()", "", "Bytes came back where text"),
        change(
            "accept_key", "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", "258EAFA5-E914-47DA-95CA-5AB0DC85B11C", "expected"
        ),
        change("accept_key", "b64encode(digest).decode()", "digest.hex()", "hex digits"),
        change("accept_key", "b64encode(digest).decode()", "str(b64encode(digest))", "with b and quotation marks"),
        change("accept_key", "key + GUID", "key.lower() + GUID", "capital and small letters"),
        whole(
            "from base64 import b64decode, b64encode\nfrom hashlib import sha1\ndef accept_key(key):\n"
            "    text = b64encode(b64decode(key)) + b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'\n"
            "    return b64encode(sha1(text).digest()).decode()",
            "decoded and encoded again",
        ),
        whole(
            "from base64 import b64encode\nfrom hashlib import sha1\nknown = {}\ndef accept_key(key):\n    text = key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'\n    return known.setdefault(key[:2], b64encode(sha1(text.encode()).digest()).decode())",
            "kept from one call to the next",
        ),
    ],
    "choose_subprotocol": [
        whole(
            "def choose_subprotocol(offered, supported):\n    both = set(offered) & set(supported)\n    return both.pop() if both else None",
            "lost in a set",
        ),
        whole(
            "def choose_subprotocol(offered, supported):\n    return next((it.lower() for it in offered if it in supported), None)",
            "came:     '",
        ),
        whole(
            "def choose_subprotocol(offered, supported):\n    return (set(offered) & set(supported) or {None}).pop()",
            "order",
        ),
        whole(
            "def choose_subprotocol(offered, supported):\n    return sorted(set(offered) & set(supported))[0]", "order"
        ),
        whole(
            "def choose_subprotocol(offered, supported):\n    for name in offered:\n        return name if name in supported "
            "else None",
            "order of the client",
        ),
        whole(
            "def choose_subprotocol(offered, supported):\n    offered.sort(key=supported.index)\n    return offered[0]",
            "ValueError",
        ),
        whole(
            "def choose_subprotocol(offered, supported):\n    while offered:\n        name = offered.pop(0)\n"
            "        if name in supported: return name",
            "changed its argument offered",
        ),
        whole(
            "def choose_subprotocol(offered, supported):\n    return next(n for n in offered if n in supported)",
            "StopIteration",
        ),
        change("choose_subprotocol", "return None", "return False", "None"),
        change(
            "choose_subprotocol",
            "in offered:",
            "in sorted(set(offered) & set(supported)):",
            "The order of the offers is lost",
        ),
    ],
    "answer_deflate": [
        change(
            "answer_deflate",
            '*(it for it in parameters if it.startswith("server_"))',
            '*{it.split("=")[0]: it for it in __import__("re").split("[;,] *", offers) if it.startswith("server_")}.values()',
            "not larger than the offer's",
        ),
        whole(DEFLATE_OFFERS + "return 'permessage-deflate'", "must repeat"),
        whole(DEFLATE_OFFERS + "return offers", "client_max_window_bits"),
        whole(
            DEFLATE_OFFERS + "return 'permessage-deflate' if 'permessage-deflate' in offers else None", "must repeat"
        ),
        whole(DEFLATE_OFFERS + "return None", "not attempted"),
        whole(DEFLATE_OFFERS + "return ''", "one extension"),
        change("answer_deflate", 'offers.split(",")', "offers.split(';')", "acceptable"),
        change("answer_deflate", 'offers.split(",")', "reversed(offers.split(','))", "first acceptable"),
        change("answer_deflate", " and are_good and", " and", "bad parameter"),
        change("answer_deflate", 'it.startswith("server_")', "True", "client_max_window_bits"),
        change("answer_deflate", 'it.startswith("server_")', 'it.startswith("client_")', "must repeat"),
        change("answer_deflate", " and len(dict(pairs)) == len(pairs)", "", "No offer here is acceptable"),
        change("answer_deflate", "range(8, 16)", "range(8, 17)", "No offer here is acceptable"),
        change("answer_deflate", "value in VALUES.get(key, ())", "key in VALUES", "No offer here is acceptable"),
        change(
            "answer_deflate",
            '"server_no_context_takeover": {None}',
            '"server_no_context_takeover": {None, *WINDOWS}',
            "No offer here is acceptable",
        ),
        change("answer_deflate", 'it.startswith("server_")', "False", "must repeat"),
        change("answer_deflate", '"; ".join(', '", ".join(', "one extension"),
        change("answer_deflate", '== "permessage-deflate"', '!= ""', "acceptable"),
        change("answer_deflate", "VALUES.get(key, ())", "VALUES.get(key, (value,))", "No offer here"),
        change("answer_deflate", "{None, *WINDOWS}", "{*WINDOWS}", "was declined"),
        change("answer_deflate", 'bits": {*WINDOWS}', 'bits": {None, *WINDOWS}', "needs a value from 8 to 15"),
        change("answer_deflate", 'bits": {None', 'bits": {"08", None', "without a 0 before it"),
        change(
            "answer_deflate", 'name == "permessage-deflate"', 'name.endswith("permessage-deflate")', "another extension"
        ),
        change("answer_deflate", "value.strip() if equals else None", "value.strip() or None", "has no value"),
    ],
    "serialize_frame": [
        whole(
            "def serialize_frame(frame, masking_key=None):\n    return bytes([0x80 | frame.opcode, len(frame.payload)]) + "
            "bytes(frame.payload)",
            "length in its shortest form",
            "FIN",
        ),
        change("serialize_frame", "0x80 | second", "0x40 | second", "Byte 1"),
        change(
            "serialize_frame",
            "[first, second]",
            "[first, (0x80 if length else 0) | second]",
            "no key",
        ),
        change("serialize_frame", "key[n % 4]", "key[n % 3]", "Byte"),
        change("serialize_frame", "0x80 | second]) + more + key", "0x80 | second]) + key[::-1] + more", "Byte 2"),
        change(
            "serialize_frame",
            "if masking_key is None:",
            "if masking_key is None or not any(masking_key):",
            "A key of zeros is a key",
        ),
        change("serialize_frame", "more + key + masked", "key + more + masked", "stands after the whole length"),
    ],
    "parse_frame": [
        change(
            "parse_frame",
            "if len(data) < 2:\n        return None",
            "if not data:\n        return None",
            "IndexError",
            "line",
        ),
        change("parse_frame", "if len(data) < start + length:", "if len(data) < length:", "the first"),
        change("parse_frame", "if len(data) >= end:", "if True:", "shortest form", "legal"),
        change("parse_frame", "start + length\n", "start + length + 1\n", "Value 2"),
        change(
            "parse_frame", "data[1] & 0x7F > 125 or not fin", "data[1] & 0x7F > 125", "a fragmented", "must be refused"
        ),
        change("parse_frame", "data[1] & 0x7F > 125 or not fin", "not fin", "of 126 bytes", "must be refused"),
        change("parse_frame", "(0, 1, 2, 8, 9, 10)", "range(11)", "is reserved", "ValueError"),
        change("parse_frame", "length < (126 if end == 4 else 65536) or ", "", "told in two bytes", "must be refused"),
        change("parse_frame", " or length >= 1 << 63", "", "top bit"),
        change("parse_frame", "    if data[1] & 0x80:", "    if True:", "masked"),
        change(
            "parse_frame",
            'raise ProtocolError(f"opcode',
            'raise ProtocolError(code=1003, reason=f"opcode',
            "close code",
        ),
        change("parse_frame", "fin, rsv1, rsv2, rsv3), start", "fin), start", "rsv1"),
        change("parse_frame", "Opcode(opcode), payload", "Opcode(opcode), list(payload)", "payload"),
    ],
    "apply_mask": [
        whole(
            "def apply_mask(data, key):\n    return ''.join(chr(b ^ key[i % 4]) for i, b in enumerate(data))",
            "Text came back",
        ),
        whole(
            "def apply_mask(data, key):\n    return [b ^ key[i % 4] for i, b in enumerate(data)]",
            "list came back where bytes",
        ),
        whole(
            "def apply_mask(data, key):\n    for i in range(len(data)):\n        data[i] ^= key[i % 4]\n    return data",
            "TypeError",
            "line 3",
        ),
        whole(
            "def apply_mask(data, key):\n    n = len(data)\n"
            "    return (int.from_bytes(data, 'big') ^ int.from_bytes((key * n)[:n], 'big')).to_bytes(n, 'little')",
            "Byte 0",
        ),
        whole(
            "position = 0\ndef apply_mask(data, key):\n    global position\n    out = bytes(b ^ key[(i + position) % 4] for i, b in "
            "enumerate(data))\n    position += len(data)\n    return out",
            "kept from one call to the next",
        ),
        whole(
            "def apply_mask(data, key, out=bytearray()):\n    out += bytes(b ^ key[i % 4] for i, b in enumerate(data))\n"
            "    return out",
            "kept from one call to the next",
        ),
        whole(
            "def apply_mask(data, key):\n    if isinstance(data, bytearray):\n        for i in range(len(data)): data[i] ^= "
            "key[i % 4]\n        return data\n    return bytes(b ^ key[i % 4] for i, b in enumerate(data))",
            "changed its argument data",
        ),
        whole(
            "def apply_mask(data, key):\n    k = int.from_bytes((bytes(key) * len(data))[:len(data)], 'big') ^ int.from_bytes(data, 'big')\n    return k.to_bytes((k.bit_length() + 7) // 8, 'big')",
            "no leading zeros",
        ),
        whole(
            "def apply_mask(data, key):\n    n = len(data)\n    k = int.from_bytes((bytes(key) * n)[:n], 'little') ^ int.from_bytes(data, 'little')\n"
            "    return k.to_bytes((k.bit_length() + 7) // 8, 'little')",
            "A zero at the end is lost",
        ),
    ],
    "join_messages": [
        change(
            "join_messages",
            "payload += frame.payload",
            "payload = payload + frame.payload if payload else frame.payload",
            "memoryview",
        ),
        whole(
            "def join_messages(frames):\n    out, kind, payload = [], None, b''\n    for frame in frames:\n        if frame.opcode >= 8: continue\n"
            "        if (frame.opcode == 0) != (kind is not None): raise ProtocolError('order', 1002)\n"
            "        if frame.opcode: kind, payload = frame.opcode, frame.payload\n        else: payload += bytes(frame.payload)\n"
            "        if not frame.fin: continue\n        try: out.append(str(payload, 'utf-8') if kind == 1 else bytes(payload))\n"
            "        except UnicodeDecodeError: raise ProtocolError('text', 1007)\n        kind = None\n    return out",
            "a bytearray",
            "changed its argument",
        ),
        change("join_messages", "if frame.opcode >= 8:", "if frame.opcode > 8:", "close"),
        change("join_messages", 'kind, payload = None, b""\n    return', 'payload = b""\n    return', "legal"),
        change("join_messages", '"the text is not UTF-8", 1007', '"the text is not UTF-8", 1002', "close code", "1007"),
        change("join_messages", "payload.decode()", "payload.decode('utf-8', 'surrogatepass')", "surrogate"),
        change("join_messages", 'kind, payload = None, b""\n    return', "kind = None\n    return", "bytes came back"),
        change("join_messages", "messages.append(", "messages.insert(0, ", "Value 1"),
        change(
            "join_messages",
            "    for frame in frames:",
            "    while frames:\n        frame = frames.pop(0)",
            "changed its argument frames",
        ),
        change("join_messages", "payload.decode()", "payload.decode('utf-8-sig')", "U+FEFF"),
        change("join_messages", "payload.decode()", "payload.decode().strip()", "It is '"),
        change("join_messages", "payload.decode()", "payload.decode().rstrip(chr(0))", "It is '"),
        change("join_messages", "payload.decode()", "'\\n'.join(payload.decode().splitlines())", "It is '"),
        change(
            "join_messages",
            "payload.decode()",
            "__import__('unicodedata').normalize('NFC', payload.decode())",
            "It is '",
        ),
    ],
    "shout": [
        whole(SHOUT + "connection.send(connection.receive().upper())", "after one message"),
        whole(SHOUT + "pass", "not attempted"),
        whole(SHOUT + "for message in connection: message.upper()", "None"),
        whole(SHOUT + "for message in connection: return connection.send(message.upper())", "answers"),
        whole(SHOUT + "while True: connection.send(str(connection.receive()).upper())", "binary"),
        whole(SHOUT + "for message in connection: connection.send(bytes(message, 'utf-8').upper())", "capitals"),
        whole(SHOUT + "for message in connection: connection.send(message.title())", "capitals"),
        whole(
            SHOUT + "for m in connection: connection.send(m.strip().upper() if isinstance(m, str) else m)",
            "a text with blanks around it",
        ),
        whole(SHOUT + "for message in connection: connection.send(message.capitalize())", "capitals"),
        whole(
            SHOUT + "for n, message in enumerate(connection):\n        if n == 10: break\n        connection.send("
            "message.upper() if isinstance(message, str) else message)",
            "to the close",
        ),
        whole(
            SHOUT
            + "import time\n    for message in connection: connection.send(message.upper() if isinstance(message, str) "
            "else message)\n    time.sleep(60)",
            "the handler returned: False",
        ),
        whole(
            "def shout(connection):\n    seen = None\n    for m in connection:\n        if m != seen: connection.send(m.upper() if isinstance(m, str) else m)\n        seen = m",
            "the same text twice",
        ),
    ],
    "broadcast": [
        change("broadcast", "members.copy()", "[member for member in members]", "A comprehension is a loop as well"),
        whole(BROADCAST + "for member in members: member.send(message)\n    return len(members)", "ConnectionClosed"),
        whole(
            BROADCAST
            + "for member in members:\n        try: member.send(message)\n        except ConnectionClosed: pass\n"
            "    return len(members)",
            "counted",
        ),
        whole(
            BROADCAST + "n = 0\n    for member in members:\n        try: member.send(message); n += 1\n"
            "        except ConnectionClosed: pass\n    return n",
            "loop over a copy",
        ),
        whole(
            BROADCAST + "n = 0\n    try:\n        for member in list(members): member.send(message); n += 1\n"
            "    except ConnectionClosed: pass\n    return n",
            "inside the loop",
        ),
        whole(BROADCAST + "return sum(1 for member in list(members) if member.send(message))", "came"),
        whole(
            BROADCAST + "n = 0\n    for member in list(members)[1:]:\n        try: member.send(message); n += 1\n"
            "        except ConnectionClosed: pass\n    return n",
            "once",
        ),
        change("broadcast", "count += 1", "count += len(message)", "returned"),
        change("broadcast", "members.copy()", "[member for member in members]", "Set changed size"),
        change("broadcast", "member.send(message)", "member.send(message), member.send(message)", "once"),
        change("broadcast", "count = 0", "count = 1", "returned"),
        change("broadcast", "continue", "break", "stop"),
        whole(
            BROADCAST
            + "n = 0\n    while members:\n        try: members.pop().send(message); n += 1\n        except ConnectionClosed: pass\n    return n",
            "open and still in the set: It is 0; expected 3",
        ),
        whole(
            BROADCAST
            + "n = 0\n    for m in list(members)[1:]:\n        try: m.send(message); n += 1\n        except ConnectionClosed: pass\n    return n",
            "returned: It is 2; expected 3",
        ),
        whole(
            "def broadcast(members, message):\n    n = 0\n    for m in list(members):\n        if m.state is State.OPEN:\n            m.send(message); n += 1\n    return n",
            "try the send, and catch what it raises",
        ),
        whole(
            "def broadcast(members, message):\n    n = 0\n    if not message: return 0\n    for m in list(members):\n        try: m.send(message)\n        except ConnectionClosed: continue\n        n += 1\n    return n",
            "an empty message",
        ),
        whole(
            "def broadcast(members, message):\n    def one(m):\n        try: m.send(message)\n        except ConnectionClosed: pass\n    all = list(members)\n    for m in all: threading.Thread(target=one, args=(m,)).start()\n    return len([m for m in all if m.state is State.OPEN])",
            "sending takes a moment",
        ),
    ],
    "states_by_port": [
        change("states_by_port", 'local.rpartition(":")[2]', 'local[-5:].strip(":")', "ports of one to five digits"),
        change("states_by_port", 'rpartition(":")[2]', 'partition(":")[2]', "IPv6"),
        change("states_by_port", 'local.rpartition(":")[2]', "local.split(':')[1]", "IPv6"),
        change("states_by_port", "states.get(state, 0) + 1", "1", "add to what was counted"),
        change("states_by_port", "ports.setdefault(port, {})", "ports[port] = {}", "last state"),
        change("states_by_port", "return ports", "return ports or None", "None came back"),
        change("states_by_port", "in rows:", "in set(rows):", "Rows that are alike were counted once"),
        change(
            "states_by_port",
            "states[state] = states.get(state, 0) + 1",
            "states[state.title()] = states.get(state.title(), 0) + 1",
            "'LISTEN', 'ESTABLISHED' is missing",
            "'Listen', 'Established' is too much",
        ),
    ],
    "three_echoes": [
        ("def three_echoes():\n    return b'new WebSocket(url)'", ("A script is text (str), not bytes",)),
        script(
            "socket.send('a');\n" + ONMESSAGE + ONCLOSE, "send() threw InvalidStateError", "Wait for the event open"
        ),
        script("setTimeout(() => socket.onopen(), 300);\n" + ONOPEN + ONMESSAGE + ONCLOSE, "not for a time"),
        script(ONOPEN.replace(", 'c'", "") + ONMESSAGE.replace("3", "2") + ONCLOSE, "Texts that were sent: 2"),
        script(ONOPEN.replace("'c'", "'c', 'd'") + ONMESSAGE + ONCLOSE, "Texts that were sent: 4"),
        script(ONOPEN + ONMESSAGE.replace("3", "1") + ONCLOSE, "when close() was called: 1"),
        script(ONOPEN.replace(" };", " socket.close(4001); };") + ONCLOSE, "when close() was called: 0"),
        script(
            ONOPEN + ONMESSAGE.replace("4001", "1000") + ONCLOSE, "close() was called with 1000; 4001 was asked for"
        ),
        script(ONOPEN + ONMESSAGE.replace("4001", "") + ONCLOSE, "called with no code"),
        script(ONOPEN + ONMESSAGE.replace("4001", "'4001'") + ONCLOSE, "called with"),
        script(ONOPEN + ONMESSAGE.replace("4001", "1006") + ONCLOSE, "close() threw InvalidAccessError"),
        script(ONOPEN.replace("send(text)", "send(new Blob([text]))") + ONMESSAGE + ONCLOSE, "is text"),
        script(ONOPEN + ONMESSAGE, "the handler of the event close calls done()"),
        script(ONOPEN + ONMESSAGE + "done();\n", "Nothing was sent"),
        script(
            ONOPEN + ONMESSAGE.replace("socket.close(4001);", "{ socket.close(4001); done(); }"),
            "done() belongs into its handler",
        ),
        script(
            ONOPEN + "socket.onmessage = () => { if (count === 3) socket.close(4001); };\n" + ONCLOSE, "count is not"
        ),
        script("const other = new WebSocket(url);\n" + ONOPEN + ONMESSAGE + ONCLOSE, "2 sockets were opened"),
        script(ONOPEN + ONMESSAGE.replace("if (count === 3)", "if (count === 3") + ONCLOSE, "No WebSocket was opened"),
        script("socket.onopen = () => socket.ping();\n" + ONCLOSE, "socket.ping is not a function"),
    ],
    "parse_close": [
        change("parse_close", 'return 1005, ""', "return (1000, '')", "1005"),
        change("parse_close", "1002, 1003, 1007", "1002, 1003, 1004, 1005, 1006, 1007", "must be refused"),
        change("parse_close", "3000 <= code <= 4999", "1000 <= code <= 4999", "must be refused"),
        change("parse_close", "3000 <= code <= 4999", "4000 <= code <= 4999", "legal"),
        change("parse_close", 'is not UTF-8", 1007', 'is not UTF-8", 1002', "1007"),
        change("parse_close", "raise ProtocolError(f", "raise ValueError(f", "another one"),
        change("parse_close", ".decode()", ".decode().strip()", "a code and a reason"),
        change(
            "parse_close",
            "return code, bytes(payload[2:]).decode()",
            "return code, bytes(payload[2:]).decode() or None",
            "It is None; expected ''",
        ),
        change("parse_close", "bytes(payload[2:]).decode()", "bytes(payload[2:]).decode('utf-8-sig')", "U+FEFF"),
        change("parse_close", "1014}", "1014, *range(1017, 2000)}", "must be refused"),
        change("parse_close", ".decode()", ".decode().partition(chr(0))[0]", "a reason of 123 bytes"),
        whole(
            "def parse_close(payload):\n    return int.from_bytes(payload[:2], 'big'), bytes(payload[2:]).decode()",
            "the program is told 1005 then",
            "refused with ProtocolError(reason, 1007)",
        ),
        change(
            "parse_close",
            'ProtocolError(f"{bytes(payload[:2]).hex()} is no close code", 1002)',
            'ProtocolError(1002, "no close code")',
            "must be refused with ProtocolError(reason, 1002)",
        ),
    ],
    "serialize_close": [
        change("serialize_close", "reason.encode()[:123]", "reason[:123].encode()", "counts bytes"),
        change("serialize_close", "[:123]", "[:125]", "123 bytes"),
        change("serialize_close", 'errors="ignore"', 'errors="replace"', "replacement"),
        change("serialize_close", "reason.encode()", "reason.strip().encode()", "bytes came back"),
        change("serialize_close", "1014}", "1014, *range(1017, 2000)}", "must not be sent"),
        whole(
            "import textwrap\ndef serialize_close(code, reason=''):\n    if not (code in (*range(1000, 1004), *range(1007, 1015)) or 2999 < code < 5000): raise ValueError(code)\n"
            "    if len(reason.encode()) > 123 and ' ' in reason: reason = textwrap.shorten(reason, 123, placeholder='')\n"
            "    return code.to_bytes(2, 'big') + reason.encode()[:123].decode(errors='ignore').encode()",
            "cut between two words",
        ),
        change("serialize_close", "raise ValueError(", "return print(", "must be refused", "printed"),
        change("serialize_close", "raise ValueError(", "assert False, (", "ValueError"),
        change("serialize_close", "1002, 1003, 1007", "1002, 1003, 1004, 1005, 1006, 1007", "must not be sent", "1004"),
        whole(
            'def serialize_close(code, reason=""):\n    if not 1000 <= code <= 4999 or code in (1004, 1005, 1006) or 1014 < code < 3000: raise ValueError(code)\n    data = reason.encode()\n    if len(data) > 123:\n        data = data[:123]\n        while data and data[-1] & 128: data = data[:-1]\n    return code.to_bytes(2, "big") + data\n',
            "124 were expected",
        ),
    ],
    "backoff": [
        whole(BACKOFF + "min(30, 0.5 * 2**attempt)", "without jitter"),
        whole(BACKOFF + "random.uniform(0, 30)", "smaller of 30"),
        whole(BACKOFF + "random.uniform(0, 0.5 * 2**attempt)", "smaller of 30"),
        whole(BACKOFF + "random.uniform(0, min(30, 0.5 * attempt))", "reach up to"),
        whole(BACKOFF + "random.uniform(0, min(30, 0.5 * attempt**2))", "reach up to"),
        whole(BACKOFF + "random.uniform(0, min(30, 2**attempt))", "smaller of 30"),
        whole(BACKOFF + "random.uniform(0, min(60, 0.5 * 2**attempt))", "smaller of 30"),
        whole(BACKOFF + "random.uniform(0.5, 1) * min(30, 0.5 * 2**attempt)", "full jitter"),
        whole(BACKOFF + "min(30, 0.5 * 2**attempt) + random.uniform(0, 1)", "longest"),
        whole(BACKOFF + "random.random() ** 2 * min(30, 0.5 * 2**attempt)", "not uniform"),
        whole(BACKOFF + "chance.uniform(0, min(30, 0.5 * 2**attempt))", "draw from `random`"),
        whole(BACKOFF + "chance.Random(1).uniform(0, min(30, 0.5 * 2**attempt))", "alike"),
        whole(BACKOFF + "random.randrange(0, int(min(30, 0.5 * 2**attempt)) + 1)", "alike"),
        whole(BACKOFF + "random.uniform(0, min(30, 0.5 * float(10)**attempt))", "smaller of 30"),
        whole(BACKOFF + "random.uniform(0, min(30, float('0.5') * 2.5e8**attempt))", "smaller of 30", "OverflowError"),
        whole(BACKOFF + "-random.uniform(0, min(30, 0.5 * 2**attempt))", "below 0"),
        whole(BACKOFF + "str(random.uniform(0, 1))", "number of seconds"),
        whole(
            "def backoff(attempt, random):\n    return backoff(attempt - 1, random) * 2 if attempt else random.uniform(0, 0.5)",
            "smaller",
        ),
        whole(
            "def backoff(attempt, random):\n    c = min(30, 0.5 * 2 ** attempt)\n    return (random.uniform(0, c) + random.uniform(0, c)) / 2",
            "came",
        ),
    ],
    "KeepAlive": [
        change(
            "KeepAlive", "now - self.pinged >= self.timeout", "now - self.pinged > self.timeout", "give up: >=, not >"
        ),
        change("KeepAlive", "self.last, self.pinged = now, None", "self.last = now", "heard must forget it"),
        change("KeepAlive", "self.last, self.pinged = now, None", "self.pinged = None", "expected"),
        change("KeepAlive", "            self.pinged = now\n", "", "again and again"),
        change("KeepAlive", 'return "ping"', 'return "Ping"', "Value"),
        change("KeepAlive", 'return "give up" if', 'return "ping" if', "Value"),
        change("KeepAlive", "now - self.pinged >= self.timeout", "now - self.last >= self.timeout", "Value"),
        change("KeepAlive", "now - self.last >= self.interval", "now >= self.interval", "expected"),
        change("KeepAlive", "self.last = now\n", "self.last = 0\n", "counts from"),
        (
            "class KeepAlive:\n    last = pinged = None\n    def __init__(self, interval, timeout, now):\n"
            "        KeepAlive.interval, KeepAlive.timeout, KeepAlive.last, KeepAlive.pinged = interval, timeout, now, None\n"
            "    def heard(self, now): KeepAlive.last, KeepAlive.pinged = now, None\n    def next_action(self, now):\n"
            "        if KeepAlive.pinged is not None: return 'give up' if now - KeepAlive.pinged >= KeepAlive.timeout else None\n"
            "        if now - KeepAlive.last >= KeepAlive.interval:\n            KeepAlive.pinged = now\n            return 'ping'\n",
            ("two connections at once", "All that an object keeps was written into the class"),
        ),
        whole("import time\nclass KeepAlive:\n    def __init__(self, interval, timeout): pass", "possible to call it"),
        whole(
            "class KeepAlive:\n    def __init__(self, interval, timeout, now): pass\n    def heard(self, now): self.x = 1",
            "AttributeError",
        ),
        change("KeepAlive", "if self.pinged is not None", "if self.pinged", "compare with None"),
        change(
            "KeepAlive",
            "self.interval, self.timeout = interval, timeout",
            "self.interval, self.timeout = int(interval), int(timeout)",
            "do not round them",
        ),
        change("KeepAlive", "now - self.last >= self.interval:", "int(now - self.last) >= self.interval:", "ask at"),
        change(
            "KeepAlive",
            "self.last, self.pinged = now, None",
            "self.last, self.pinged = now, self.pinged if self.pinged == now else None",
            "a ping that is answered at once",
        ),
        whole(
            "class KeepAlive:\n    pinged = None\n    def __init__(self, interval, timeout, now): self.i, self.t, self.last = interval, timeout, now; KeepAlive.pinged = None\n"
            "    def heard(self, now): self.last = now; KeepAlive.pinged = None\n    def next_action(self, now):\n"
            "        if KeepAlive.pinged is not None: return 'give up' if now - KeepAlive.pinged >= self.t else None\n"
            "        if now - self.last >= self.i:\n            KeepAlive.pinged = now\n            return 'ping'\n",
            "The ping was written into the class",
        ),
        change(
            "KeepAlive",
            "self.interval, self.timeout = interval",
            "KeepAlive.interval, KeepAlive.timeout = interval",
            "written into the class",
        ),
        change(
            "KeepAlive",
            "now - self.last >= self.interval:",
            "now - self.last > self.interval:",
            "time for the ping: >=, not >",
        ),
    ],
    "deflate_message": [
        whole(DEFLATED + "return zlib.compress(payload)", "zlib header"),
        whole(DEFLATED + "return zlib.compress(payload)[2:-4]", "came"),
        whole(DEFLATED + "return payload", "not compressed"),
        whole(DEFLATED + "import gzip\n    return gzip.compress(payload)", "gzip"),
        whole(
            DEFLATED + "c = zlib.compressobj(wbits=-15)\n    return c.compress(payload) + c.flush(zlib.Z_SYNC_FLUSH)",
            "still ends with",
        ),
        whole(DEFLATED + "c = zlib.compressobj(wbits=-15)\n    return c.compress(payload)", "came"),
        whole(
            DEFLATED
            + "c = zlib.compressobj(wbits=-15)\n    return (c.compress(payload) + c.flush(zlib.Z_SYNC_FLUSH)).rstrip(TAIL)",
            "cut off",
        ),
        whole(
            DEFLATED
            + "c = zlib.compressobj(wbits=-15)\n    return (c.compress(payload) + c.flush(zlib.Z_SYNC_FLUSH))[:-5]",
            "cut off",
        ),
        whole(
            "c = zlib.compressobj(wbits=-15)\n"
            + DEFLATED
            + "return (c.compress(payload) + c.flush(zlib.Z_SYNC_FLUSH))[:-4]",
            "Hello again",
        ),
        whole(
            DEFLATED
            + "c = zlib.compressobj(wbits=-15)\n    return c.compress(payload) + c.flush() + b'\\x00' * 0 + b'\\x07'",
            "Z_FINISH",
        ),
        whole(
            DEFLATED + "if not payload: return b''\n    c = zlib.compressobj(wbits=-15)\n"
            "    return (c.compress(payload) + c.flush(zlib.Z_SYNC_FLUSH))[:-4]",
            "an empty message is 00",
        ),
        whole(
            DEFLATED
            + "c = zlib.compressobj(0, wbits=-15)\n    return (c.compress(payload) + c.flush(zlib.Z_SYNC_FLUSH))[:-4]",
            "should be compressed",
        ),
        change(
            "deflate_message",
            'data.removesuffix(b"\\x00\\x00\\xff\\xff")',
            "data.replace(TAIL, b'')".replace("TAIL", "bytes.fromhex('0000ffff')"),
            "00 00 ff ff in its middle",
        ),
    ],
    "inflate_message": [
        whole(INFLATED + "return zlib.decompress(data)", "zlib.error", "error"),
        whole(INFLATED + "return zlib.decompress(data + TAIL, wbits=-15)", "waits for a final block"),
        change(
            "inflate_message", "return payload", "return payload.rstrip(bytes(1))", "a payload that ends with zeros"
        ),
        whole(
            INFLATED + "return zlib.decompressobj(wbits=-15).decompress(bytes(data) + TAIL)",
            "too long and was accepted",
        ),
        whole(INFLATED + "return zlib.decompressobj(wbits=-15).decompress(bytes(data) + TAIL, max_size)", "was cut"),
        whole(
            INFLATED + "r = zlib.decompressobj(wbits=-15).decompress(bytes(data) + TAIL)\n"
            "    if len(r) > max_size: raise ProtocolError('', 1009)\n    return r",
            "were held in memory",
        ),
        whole(
            INFLATED + "d, r = zlib.decompressobj(wbits=-15), b''\n    data = bytes(data) + TAIL\n    while data:\n"
            "        r += d.decompress(data, 1 << 20)\n        data = d.unconsumed_tail\n"
            "        if len(r) > max_size: raise ProtocolError('', 1009)\n    return r",
            "were held in memory",
        ),
        change("inflate_message", "len(payload) > max_size", "len(payload) >= max_size", "exactly max_size"),
        change("inflate_message", 'bytes", 1009', 'bytes", 1002', "1009"),
        change("inflate_message", 'DEFLATE", 1007', 'DEFLATE", 1002', "1007"),
        change("inflate_message", "except zlib.error", "except ValueError", "another one"),
        change("inflate_message", "wbits=-15", "wbits=-9", "came"),
        change("inflate_message", "max_size + 1)", "max_size) if len(data) < 9000 else bytes(max_size + 1)", "1009"),
        whole(
            "D = zlib.decompressobj(wbits=-15)\n"
            + INFLATED
            + "try: p = D.decompress(bytes(data) + TAIL, max_size + 1)\n    except zlib.error: raise ProtocolError('', 1007)\n    if len(p) > max_size: raise ProtocolError('', 1009)\n    return p",
            "kept from one call to the next",
        ),
        whole(
            'def inflate_message(data, max_size):\n    d = zlib.decompressobj(-15)\n    try:\n        out = d.decompress(bytes(data) + b"\\0\\0\\xff\\xff", max_size)\n    except zlib.error: raise ProtocolError("deflate", 1007)\n    if d.unconsumed_tail or len(out) > max_size: raise ProtocolError("long", 1009)\n    return out\n',
            "bytes of it were held in memory",
        ),
    ],
    "allow_origin": [
        whole(
            "def allow_origin(origin, host):\n    if origin is None: return True\n    scheme, _, page = origin.lower().partition('://')\n    if scheme not in ('http', 'https'): return False\n"
            "    full = lambda name: name if ':' in name else name + {'http': ':80', 'https': ':443'}[scheme]\n    return full(page) == full(host.lower())",
            "[::1]",
        ),
        change("allow_origin", "urlsplit(origin)", "urlsplit(origin.replace('127.0.0.1', 'localhost'))", "127.0.0.1"),
        whole(
            "from urllib.parse import urlsplit\nPORTS = {'http': 80, 'https': 443}\ndef allow_origin(origin, host):\n    if origin is None: return True\n"
            "    try:\n        page, server = (urlsplit(it.replace('127.0.0.1', 'localhost')) for it in (origin, f'//{host}'))\n        implied = PORTS[page.scheme]\n"
            "        return (page.hostname, page.port or implied) == (server.hostname, server.port or implied)\n    except (ValueError, KeyError): return False",
            "are two hosts all the same",
        ),
        whole(
            "def allow_origin(origin, host):\n    return origin is None or host in origin",
            "ports",
            "stands in the other",
        ),
        change("allow_origin", '{"http": 80,', '{"ws": 80, "wss": 443, "http": 80,', "never ws or wss"),
        change(
            "allow_origin",
            "    try:",
            "    if origin.startswith(('chrome-extension://', 'moz-extension://')):\n        return True\n    try:",
            "Extensions of browsers",
        ),
        change(
            "allow_origin",
            "    try:",
            "    if origin.startswith(('http://192.168.', 'http://10.')):\n        return True\n    try:",
            "private addresses",
        ),
        change(
            "allow_origin",
            "    try:",
            "    import re\n    if re.fullmatch('https?://' + host.replace('[', ''), origin):\n        return True\n    try:",
            "escape the Host",
        ),
        change(
            "allow_origin",
            "    try:",
            "    if ':' not in origin[6:] + host and origin.split('.')[-2:] == host.split('.')[-2:] and 'evil' not in origin:\n        return True\n    try:",
            "came:     True",
        ),
        change("allow_origin", "    try:", "    urlsplit(f'//{host}').port\n    try:", "ValueError"),
        change("allow_origin", "    try:", "    urlsplit(origin)\n    try:", "ValueError"),
        whole(
            "def allow_origin(origin, host):\n    return origin in (None, 'http://' + host, 'https://' + host)",
            "ports that are implied",
        ),
        whole(
            "def allow_origin(origin, host):\n    return origin is None or origin.split('//')[1] == host", "IndexError"
        ),
        whole(
            "def allow_origin(origin, host):\n    return not origin or origin.endswith('//' + host)", "no Origin header"
        ),
        change(
            "allow_origin",
            "if origin is None:\n        return True",
            "if origin is None:\n        return False",
            "let them in",
        ),
        change("allow_origin", "except ValueError", "except KeyError", "ValueError"),
        change("allow_origin", '"https": 443', '"https": 80', "ports"),
        change(
            "allow_origin",
            'urlsplit(origin), urlsplit(f"//{host}")',
            "urlsplit(origin.replace('//www.', '//')), urlsplit(f\"//{host.removeprefix('www.')}\")",
            "www. is a part of the name",
        ),
        change(
            "allow_origin",
            "    try:",
            "    if origin.startswith('http://localhost'):\n        return True\n    try:",
            "Pages of localhost are foreign",
        ),
        change(
            "allow_origin",
            "(page.hostname, implied if page.port is None else page.port) == ours",
            "page.hostname == ours[0]",
            "another port is another program",
        ),
        change(
            "allow_origin",
            "(page.hostname, implied if page.port is None else page.port) == ours",
            "(page.hostname, page.port) == (server.hostname, server.port)",
            "compare the numbers",
        ),
    ],
}

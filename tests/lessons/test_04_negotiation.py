"""Lesson 04 in false worlds: its experiments on origins, subprotocols and extensions notice when a rule is broken."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "04-negotiation"

CLIENTS_TAKE_ANY_ANSWER = """
from wslab.protocol import handshake
handshake.broken_by_agreement = lambda agreement: []
"""

CORS_IS_CHECKED = """
import wslab
from wslab.protocol import handshake
check = handshake.check_response
def check_with_cors(response, request, **options):
    check(response, request, **options)
    allowed = response.headers.get("Access-Control-Allow-Origin")
    if allowed and allowed != request.headers.get("Origin"):
        raise wslab.HandshakeError("another origin", 0)
init = wslab.Codec.__init__
def init_with_cors(self, **parts):
    init(self, **{"check_response": check_with_cors, **parts})
wslab.Codec.__init__ = init_with_cors
"""

SERVERS_TAKE_ANY_ORIGIN = """
import wslab
init = wslab.EchoServer.__init__
def init_without_origins(self, *arguments, origins=None, **options):
    init(self, *arguments, **options)
wslab.EchoServer.__init__ = init_without_origins
"""

THE_SERVER_PREFERS = """
from wslab.protocol.endpoint import Protocol
accept = Protocol.accept
def accept_own_first(self, *, subprotocols=(), headers=()):
    return accept(self, subprotocols=subprotocols[:1], headers=headers)
Protocol.accept = accept_own_first
"""

SILENCE_IS_A_REFUSAL = """
import wslab
from wslab.protocol import handshake
broken = handshake.broken_by_agreement
class Silence:
    def error(self):
        return wslab.HandshakeError("no subprotocol", 101)
def broken_or_silent(agreement):
    found = list(broken(agreement))
    if agreement.offered and "Sec-WebSocket-Protocol" not in agreement.response.headers:
        found.append(Silence())
    return found
handshake.broken_by_agreement = broken_or_silent
"""

ONE_BAD_OFFER_SPOILS_ALL = """
from wslab.protocol import opening
answer = opening.answer_offers
def answer_if_all_are_good(offers, wish):
    if all(answer([offer], wish)[0] for offer in offers):
        return answer(offers, wish)
    return None, None
opening.answer_offers = answer_if_all_are_good
"""

UNASKED_EXTENSIONS_ARE_IGNORED = """
from wslab.protocol import handshake
parse = handshake.parse_extensions
handshake.parse_extensions = lambda value: [] if value == "permessage-deflate" else parse(value)
"""

TOKENS_ARE_HIDDEN = """
import wslab
connect = wslab.connect
def connect_without_tokens(url, subprotocols=(), **options):
    return connect(url, subprotocols=subprotocols[:1], **options)
wslab.connect = connect_without_tokens
"""


@pytest.mark.parametrize(
    ("world", "cell"),
    [
        pytest.param(CLIENTS_TAKE_ANY_ANSWER, "lines-needed", id="no-line-is-needed"),
        pytest.param(SERVERS_TAKE_ANY_ORIGIN, "origins-seen", id="origins-do-not-matter"),
        pytest.param(CORS_IS_CHECKED, "cors-seen", id="cors-protects"),
        pytest.param(THE_SERVER_PREFERS, "order-seen", id="the-servers-order"),
        pytest.param(CLIENTS_TAKE_ANY_ANSWER, "answers-seen", id="the-list-back-is-fine"),
        pytest.param(SILENCE_IS_A_REFUSAL, "answers-seen", id="silence-is-a-refusal"),
        pytest.param(CLIENTS_TAKE_ANY_ANSWER, "unasked", id="unasked-subprotocols-are-fine"),
        pytest.param(TOKENS_ARE_HIDDEN, "token-seen", id="a-subprotocol-is-a-safe-place"),
        pytest.param(ONE_BAD_OFFER_SPOILS_ALL, "offers-seen", id="one-bad-offer-spoils-all"),
        pytest.param(UNASKED_EXTENSIONS_ARE_IGNORED, "unasked-extension", id="unasked-extensions-are-ignored"),
    ],
)
def test_the_experiment_says_something_else_where_its_rule_does_not_hold(world, cell):
    assert cell in changed_cells(LESSON, world, until=cell)

"""By hand: a recording of calls and reads without a network, so that every read is cut where a lesson wants it."""

import itertools
from collections.abc import Sequence

from wslab.protocol.endpoint import Protocol
from wslab.protocol.handshake import build_request, build_response
from wslab.protocol.states import Direction, State
from wslab.recording.recording import Recording

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 §1.3
MASKING_KEY = bytes.fromhex("37 fa 21 3d")  # §5.7


def record_by_hand(calls: Sequence[tuple[str, bool]], cut: int) -> Recording:
    """A client that sends each text, with FIN or without, after the handshake; its bytes arrive `cut` at a time.

    Time is the number of the step. All calls come before the first read.
    """
    recording = Recording(clock=itertools.count().__next__)
    request = build_request("localhost", key=KEY)
    recording.add(1, Direction.CLIENT_TO_SERVER, request.serialize())
    recording.add(1, Direction.SERVER_TO_CLIENT, build_response(request).serialize())
    client = Protocol("client", state=State.OPEN, masking_keys=lambda: MASKING_KEY)
    has_begun = False
    for text, fin in calls:
        name = "send" if fin and not has_begun else "send_fragment"
        recording.mark(1, Direction.CLIENT_TO_SERVER, name, repr(text))
        client.send_text(text, fin)
        has_begun = not fin
    data = client.data_to_send()
    for start in range(0, len(data), cut):
        recording.add(1, Direction.CLIENT_TO_SERVER, data[start : start + cut])
    return recording

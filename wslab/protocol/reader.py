"""FrameReader: the bytes of one side in, its frames out, each part as it arrives (RFC 6455 §5).

Strategy: read a header as soon as it is whole, judge it by the rules at once, then hand out what has arrived of the
payload, unmasked. So a fault is found with its first byte, and a long payload is never kept here. Data and control
frames, whole ones and pieces, take this one way, in the endpoint as in the inspector. The endpoint refuses a frame
that breaks a rule; an observer notes it and reads on.
"""

from dataclasses import dataclass

from wslab.protocol.buffer import ReceiveBuffer
from wslab.protocol.codec import Codec
from wslab.protocol.errors import Violation
from wslab.protocol.frames import MAX_HEADER, FrameHeader
from wslab.protocol.opcodes import Opcode
from wslab.protocol.rules import Situation, broken_by_frame
from wslab.protocol.states import Role


@dataclass(slots=True)
class IncomingFrame:
    """A frame that is arriving.

    `kind` is the opcode of the message that it belongs to, or its own. `piece` is what has just arrived of its payload,
    unmasked; `missing` bytes of it have not. `masking_key` is rotated to the next byte. `is_foreseen` says that only
    the header of a frame was looked at that must be read as a whole: it will come again.
    """

    header: FrameHeader
    kind: Opcode
    is_compressed: bool
    violations: tuple[Violation, ...]
    missing: int
    masking_key: bytes | None
    is_new: bool = True
    is_foreseen: bool = False
    piece: bytes = b""


class FrameReader:
    """Finds the frames that `sender` sends, in the bytes that its `buffer` is given.

    `has_deflate` says whether permessage-deflate was agreed on; `knows_bits`, that no other extension was; `is_late`,
    that frames may have come before the first bytes. The parts of `codec` read each frame: `parse_frame` if it has been
    replaced, which sees whole frames only, else `parse_header` and `apply_mask`.

    >>> reader = FrameReader(Role.SERVER)
    >>> reader.buffer.open(bytes.fromhex("8103 4869"))
    True
    >>> frame = reader.read()
    >>> frame.piece, frame.missing
    (b'Hi', 1)
    """

    def __init__(
        self,
        sender: Role,
        codec: Codec | None = None,
        *,
        has_deflate: bool = False,
        knows_bits: bool = True,
        is_late: bool = False,
        buffer: ReceiveBuffer | None = None,
    ) -> None:
        self.buffer = ReceiveBuffer() if buffer is None else buffer
        self.frame: IncomingFrame | None = None  # whose payload is still arriving
        self._codec = codec or Codec()
        self._reads_in_pieces = self._codec.reads_in_pieces
        self._after = Situation(sender, has_deflate=has_deflate, is_late=is_late, knows_bits=knows_bits)
        self._is_compressed = False  # the message that has begun

    @property
    def is_between_messages(self) -> bool:
        """Whether no frame and no message has begun that is not finished."""
        return self.frame is None and self._after.message is None

    def read(self) -> IncomingFrame | None:
        """The frame that is arriving, with the next piece of its payload; None if that needs more bytes.

        Raises ProtocolError for a header that no reader can read.
        """
        frame, buffer = self.frame, self.buffer
        if frame is None:
            if not self._reads_in_pieces:
                return self._read_whole()
            parsed = self._codec.parse_header(buffer.data[buffer.position : buffer.position + MAX_HEADER])
            if parsed is None:
                return None
            header, size = parsed
            buffer.position += size
            frame = self._judge(header)
        elif buffer.has_more:
            frame.is_new = False
        else:
            return None
        self._take_piece(frame)
        return frame

    def _take_piece(self, frame: IncomingFrame) -> None:
        """Take what has arrived of the payload, and unmask it."""
        frame.piece = b""  # the memory of the last one can be used again: it is in the cache (1 MiB: a fifth)
        buffer = self.buffer
        start = buffer.position
        end = buffer.position = min(start + frame.missing, len(buffer.data))
        if key := frame.masking_key:
            frame.piece = self._codec.apply_mask(memoryview(buffer.data)[start:end], key)
        else:
            frame.piece = buffer.data[start:end]
        frame.missing -= end - start
        if frame.missing:
            self.frame = frame
            if key:
                used = (end - start) % 4
                frame.masking_key = key[used:] + key[:used]
        else:
            self._finish(frame)

    def _read_whole(self) -> IncomingFrame | None:
        """Read a frame with a `parse_frame` that has been replaced."""
        buffer = self.buffer
        rest = memoryview(buffer.data)[buffer.position :]
        parsed = self._codec.parse_frame(rest)
        if parsed is None:
            return self._foresee(rest)
        frame, used = parsed
        # Such a frame may not tell its key, so the bit itself is asked.
        key = frame.masking_key or (bytes(4) if rest[1] & 0b1000_0000 else None)
        buffer.position += used
        incoming = self._judge(
            FrameHeader(frame.opcode, len(frame.payload), frame.fin, frame.rsv1, frame.rsv2, frame.rsv3, key)
        )
        incoming.piece, incoming.missing = frame.payload, 0
        self._finish(incoming)
        return incoming

    def _foresee(self, rest: memoryview) -> IncomingFrame | None:
        """Judge a frame that is not whole by its header, and wait for the rest of it."""
        if (parsed := self._codec.parse_header(rest[:MAX_HEADER])) is None:
            return None
        header, size = parsed
        self.buffer.needed = size + header.payload_length
        incoming = self._judge(header)
        incoming.is_foreseen = True
        return incoming

    def _judge(self, header: FrameHeader) -> IncomingFrame:
        """A frame that begins, with the rules that it breaks after what came before it."""
        opcode, _, _, rsv1, rsv2, rsv3, key = header
        violations = broken_by_frame(opcode, rsv1, rsv2, rsv3, key is not None, self._after)
        if opcode is Opcode.CONTINUATION:
            kind, is_compressed = self._after.message or opcode, self._is_compressed
        else:
            kind, is_compressed = opcode, rsv1 and self._after.has_deflate and opcode < Opcode.CLOSE
        return IncomingFrame(header, kind, is_compressed, violations, header.payload_length, key)

    def _finish(self, frame: IncomingFrame) -> None:
        """Remember what the frame means for those after it."""
        self.frame = None
        opcode, fin, after = frame.header.opcode, frame.header.fin, self._after
        if opcode is Opcode.CLOSE:
            self._after = after._replace(has_closed=True)
        elif opcode < Opcode.CLOSE:
            message = None if fin or frame.kind is Opcode.CONTINUATION else frame.kind
            self._is_compressed = frame.is_compressed and not fin
            if message is not after.message or after.is_late:
                is_late = after.is_late and opcode is Opcode.CONTINUATION and not fin
                self._after = after._replace(message=message, is_late=is_late)

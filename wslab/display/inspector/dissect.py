"""dissect: a dissection as a table, with a row for each field."""

from wslab.display.inspector.bits import draw_bits
from wslab.display.table import Table, table_of
from wslab.dissector.dissection import Dissection
from wslab.dissector.field import Field
from wslab.dissector.wording import how_many

MOST_ROWS = 200


def dissect(dissection: Dissection, start: int, most: int) -> Table:
    """A table of about `most` rows from the byte `start` on. A frame is never cut in two."""
    fields: list[Field] = []
    rest = size = dissection.size
    for group in dissection:
        is_frame = dissection.frames > 0
        if start and max(field.end for field in group) <= start:
            continue
        shown = [field for field in group if is_frame or field.end > start or not start]
        room = most - len(fields)
        if len(shown) > room and (fields or not is_frame):
            cut = 0 if is_frame else _cut(shown, room, bool(fields))
            fields += shown[:cut]
            rest = shown[cut].start if cut < len(shown) else shown[-1].end
            break
        fields += shown
    more = f"… {how_many(size - rest, 'more byte')}: start={rest} shows them" if rest < size else ""
    if not fields:
        more = f"Nothing to show from byte {start} on: there are {size} bytes." if size else "No bytes, no fields."
    is_one_frame = (dissection.heads, dissection.frames) == (0, 1) and not more
    return table_of(fields, f"{how_many(size)}, field by field", more, draw_bits(fields) if is_one_frame else "")


def _cut(shown: list[Field], room: int, may_be_empty: bool) -> int:
    """How many fields of a head fit into `room`: a field without bytes of its own stays with the one above it."""
    cuts = [place for place, field in enumerate(shown) if place and field.end > field.start] + [len(shown)]
    fitting = [cut for cut in cuts if cut <= room]
    return fitting[-1] if fitting else 0 if may_be_empty else cuts[0]

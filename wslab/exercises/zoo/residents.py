"""residents: all bugs of the zoo by their names, and for each of them the probe that catches it."""

from wslab.exercises.zoo import (
    compression,
    handshakes,
    lengths,
    masks,
    messages,
    probes_of_frames,
    probes_of_handshakes,
    probes_of_messages,
)
from wslab.exercises.zoo.bug import Bug, Probe

PREFIX = "probe_"
BUGS: dict[str, Bug] = {
    name: bug
    for module in (handshakes, lengths, masks, messages, compression)
    for name, bug in vars(module).items()
    if isinstance(bug, Bug)
}
PROBES: dict[str, Probe] = {
    name.removeprefix(PREFIX): probe
    for module in (probes_of_handshakes, probes_of_frames, probes_of_messages)
    for name, probe in vars(module).items()
    if name.startswith(PREFIX)
}

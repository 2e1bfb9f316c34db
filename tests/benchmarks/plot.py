"""Plot: the results of the benchmark as bars, every figure a ratio within one round."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from measures import Row

# Okabe and Ito's palette, which most colour-blind readers can tell apart; the hatches tell it too.
LOOKS = {
    "raw socket": ("#999999", ""),
    "wslab": ("#0072B2", ""),
    "wslab, one by one": ("#56B4E9", "//"),
    "websockets": ("#E69F00", "\\\\"),
    "aiohttp": ("#D55E00", "++"),
    "picows": ("#009E73", ".."),
    "websocket-client": ("#CC79A7", "xx"),
    "wsproto": ("#CC79A7", "xx"),
    "wslab.parse_frame": ("#56B4E9", "//"),
    "wslab.serialize_frame": ("#56B4E9", "//"),
    "wslab.Protocol": ("#0072B2", ""),
}
BEHIND_TEXT = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}  # so that no line crosses it


def plot(measures: dict[str, list[Row]], machine: dict[str, object], path: Path) -> None:
    """Write a PNG with a panel for each measure."""
    panels = [(title, select(measures[name], unit)) for name, unit, title in PANELS if name in measures]
    figure = Figure(figsize=(10, 0.9 + sum(height(rows) for _, rows in panels)), layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[height(rows) for _, rows in panels])
    for (title, rows), ax in zip(panels, axes[:, 0], strict=True):
        draw(ax, title, rows)
    peers = [f"{name} {machine[name]}" for name in ("websockets", "aiohttp", "picows", "websocket-client", "wsproto")]
    figure.suptitle(
        f"{machine['python']}, {machine['processor']} with {machine['cores']} cores, {machine['system']}, "
        f"{machine['date']}\n{', '.join(peers)}",
        fontsize=9,
    )
    figure.savefig(path, dpi=110, facecolor="white")


PANELS = [
    ("echo", "messages/s", "Echo server: messages per second, a bare socket = 1 (longer is better)"),
    ("compressed echo", "messages/s", "Echo server with permessage-deflate: messages per second, websockets = 1"),
    ("wss", "messages/s", "Echo server over TLS: messages per second, websockets = 1"),
    (
        "many clients",
        "messages/s",
        "Many clients at once, a message of 32 B in flight each: messages per second, bare sockets = 1",
    ),
    (
        "many clients",
        "µs, 99th percentile",
        "The same: 99th percentile of the delay, bare sockets = 1 (shorter is better)",
    ),
    ("crowd", "KiB", "Idle connections: memory of each, websockets = 1 (shorter is better)"),
    ("crowd", "handshakes/s", "Opening handshakes per second, websockets = 1 (longer is better)"),
    ("crowd", "s", "Time until a message from each is answered, websockets = 1 (shorter is better)"),
    ("clients", "messages/s", "Clients: messages per second, websockets = 1 (longer is better)"),
    ("codec", "frames/s", "Codec alone: frames per second, websockets = 1 (longer is better)"),
]


def select(rows: list[Row], unit: str) -> list[Row]:
    return [row for row in rows if row.unit == unit]


def compared(row: Row) -> list[str]:
    """Those who have a bar: a bare socket only counts bytes, so it is no measure for a client."""
    return [name for name in row.rounds if name != "raw socket" or row.reference == name or row.unit != "messages/s"]


def height(rows: list[Row]) -> float:
    """In inches: a bar for every ratio, and room for the title."""
    return 0.7 + sum(0.17 * len(compared(row)) + 0.12 for row in rows)


def draw(ax: Axes, title: str, rows: list[Row]) -> None:
    """A group of bars for each row, each bar with its ratio behind it."""
    place, ticks, longest = 0.0, [], 0.0
    for row in rows:
        begin = place
        for name in compared(row):
            ratio, (color, hatch) = row.ratio(name), LOOKS[name]
            ax.barh(place, ratio, 0.85, color=color, hatch=hatch, edgecolor="white", linewidth=0)
            ax.text(ratio, place, f" {ratio:.2f} {name}", va="center", fontsize=7, color="black", bbox=BEHIND_TEXT)
            longest, place = max(longest, ratio), place + 1
        ticks.append(((begin + place - 1) / 2, row.name))
        place += 0.7
    ax.axvline(1, color="#555555", linewidth=0.8, linestyle="--")
    ax.set_yticks([tick for tick, _ in ticks], [name for _, name in ticks], fontsize=8)
    ax.set_xlim(0, longest * 1.25)
    ax.tick_params(axis="x", labelsize=7)
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.set_title(title, loc="left", fontsize=9)

"""Lesson 11, watching connections: states_by_port, the rows of netstat counted (RFC 9293 §3.3.2)."""

import random
from collections.abc import Iterator

from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Mistake
from wslab.exercises.solutions.states_by_port import states_by_port

SECTION = "RFC 9293 §3.3.2"
STATES = ("ESTABLISHED", "CLOSE_WAIT", "TIME_WAIT", "FIN_WAIT2")
Rows = list[tuple[str, str, str]]
Counts = dict[int, dict[str, int]]


def client(source: random.Random, host: str = "127.0.0.1") -> str:
    """An address with a port that the system chose."""
    return f"{host}:{source.randrange(32768, 61000)}"


def rows_of(source: random.Random, local: str, count: int) -> Rows:
    """So many connections of one local address."""
    return [(local, client(source), source.choice(STATES)) for _ in range(count)]


def one_port(source: random.Random) -> Iterator[Case]:
    """A server and its clients."""
    server = "127.0.0.1:8000"
    yield Case("a listener and one connection", ([(server, "*", "LISTEN"), (server, client(source), "ESTABLISHED")],))
    yield Case("two listeners of one address, as SO_REUSEPORT allows", ([(server, "*", "LISTEN")] * 2,))
    yield Case("eight connections of one port", (rows_of(source, server, 8),))


def several_ports(source: random.Random) -> Iterator[Case]:
    """Both ends of connections."""
    for _ in range(3):
        rows = [*rows_of(source, "127.0.0.1:8000", 5), *rows_of(source, "127.0.0.1:8001", 4)]
        rows += [(client(source), "127.0.0.1:8000", source.choice(STATES)) for _ in range(3)]
        source.shuffle(rows)
        yield Case("two servers, and clients of one of them", (rows,))
    both = [("127.0.0.1:8000", "*", "LISTEN"), ("10.0.0.7:8000", "10.0.0.8:8001", "TIME_WAIT")]
    yield Case("one port at two addresses", (both,))
    listeners = [(f"127.0.0.1:{port}", "*", "LISTEN") for port in (7, 80, 443, 8000, 65535)]
    yield Case("ports of one to five digits", (listeners,))


def other_addresses(source: random.Random) -> Iterator[Case]:
    """IPv6, which has colons in it."""
    rows = [("[::1]:8000", "*", "LISTEN"), ("[::1]:8000", client(source, "[::1]"), "ESTABLISHED")]
    yield Case("connections of IPv6", (rows,))
    yield Case("one port in IPv4 and in IPv6", ([*rows, ("0.0.0.0:8000", "*", "LISTEN")],))


def nothing(source: random.Random) -> Iterator[Case]:
    """No rows, and one."""
    yield Case("no rows", ([],))
    yield Case("one row", (rows_of(source, "192.168.1.2:9000", 1),))


def _remote_port(rows: Rows) -> Counts:
    return states_by_port([(remote, local, state) for local, remote, state in rows if remote != "*"])


def _text_ports(rows: Rows) -> dict[str, dict[str, int]]:
    return {str(port): states for port, states in states_by_port(rows).items()}


def _last_only(rows: Rows) -> Counts:
    return {port: dict.fromkeys(states, 1) for port, states in states_by_port(rows).items()}


def _last_state(rows: Rows) -> Counts:
    last = {port: state for local, _, state in rows for port in states_by_port([(local, "*", state)])}
    return {port: {state: states_by_port(rows)[port][state]} for port, state in last.items()}


def _no_listeners(rows: Rows) -> Counts:
    return states_by_port([row for row in rows if row[2] != "LISTEN"])


def _totals(rows: Rows) -> dict[int, int]:
    return {port: sum(states.values()) for port, states in states_by_port(rows).items()}


def _by_state(rows: Rows) -> dict[str, dict[int, int]]:
    counts: dict[str, dict[int, int]] = {}
    for port, states in states_by_port(rows).items():
        for state, count in states.items():
            counts.setdefault(state, {})[port] = count
    return counts


def _by_address(rows: Rows) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for local, _, state in rows:
        counts.setdefault(local, {}).setdefault(state, 0)
        counts[local][state] += 1
    return counts


def _pairs(rows: Rows) -> dict[tuple[int, str], int]:
    return {(port, state): n for port, states in states_by_port(rows).items() for state, n in states.items()}


def _once_each(rows: Rows) -> Counts:
    return states_by_port(list(dict.fromkeys(rows)))


def _with_zeros(rows: Rows) -> Counts:
    seen = dict.fromkeys((state for _, _, state in rows), 0)
    return {port: seen | states for port, states in states_by_port(rows).items()}


EXERCISES = (
    Exercise(
        "states_by_port",
        "11-watching-connections",
        "states_by_port(rows) -> dict",
        "`rows` are triples of text, as in the table of `wslab.watch`: local address, remote address, TCP state. "
        "Return how "
        "many of them each local port has in each state, as `{port: {state: count}}`; the port is an int.",
        "`states_by_port([('127.0.0.1:8000', '*', 'LISTEN'), ('127.0.0.1:8000', '127.0.0.1:51234', 'ESTABLISHED')])` "
        "is "
        "`{8000: {'LISTEN': 1, 'ESTABLISHED': 1}}`.",
        (
            Aspect("one port", 1, SECTION, one_port),
            Aspect("several ports and states", 2, SECTION, several_ports),
            Aspect("IPv6 addresses", 1, "RFC 3986 §3.2.2", other_addresses),
            Aspect("few rows or none", 1, SECTION, nothing),
        ),
        (
            "What tells two connections of one server apart: its own port, or the other end?",
            "The port is what stands after the last colon: `local.rpartition(':')`. A dict of dicts counts: "
            "`setdefault` makes the inner one.",
            "for local, remote, state in rows: states = ports.setdefault(int(local.rpartition(':')[2]), {}); then "
            "states[state] = states.get(state, 0) + 1",
        ),
        states_by_port,
        ("rows",),
        (
            Mistake("The ports of the remote addresses were taken; the local ones are asked for.", _remote_port),
            Mistake("The port is text; it is to be a number, int('8000').", _text_ports),
            Mistake("Each state has the count 1: add to what was counted before.", _last_only),
            Mistake(
                "Only the last state of each port is left: the inner dict was made anew for each row.", _last_state
            ),
            Mistake("LISTEN is a state too.", _no_listeners),
            Mistake("The states are missing: each port has a dict of them.", _totals),
            Mistake("State and port have changed places: the port comes first.", _by_state),
            Mistake(
                "The whole local address is the key; only its port is asked for, and one port has several addresses.",
                _by_address,
            ),
            Mistake("Port and state are one key here; the states of a port are a dict of their own.", _pairs),
            Mistake("Rows that are alike were counted once: each of them is a connection or a listener.", _once_each),
            Mistake("A state that a port does not have is left out, and not counted as 0.", _with_zeros),
        ),
    ),
)

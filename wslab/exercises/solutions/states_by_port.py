"""The port stands after the last colon of the local address: an IPv6 address has colons of its own."""


def states_by_port(rows: list[tuple[str, str, str]]) -> dict[int, dict[str, int]]:
    """How many connections each local port has in each state of TCP."""
    ports: dict[int, dict[str, int]] = {}
    for local, _remote, state in rows:
        port = int(local.rpartition(":")[2])
        states = ports.setdefault(port, {})
        states[state] = states.get(state, 0) + 1
    return ports

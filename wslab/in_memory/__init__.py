"""A network and threads inside one program, where there are none: sockets over memory, and strands that take turns.

In a browser (Pyodide), Python has no sockets and cannot start a thread. `install` puts a few classes of ours in the
place of those of `socket`, `select` and `threading`; the servers, clients and taps of wslab then run as they are, and
meet in memory. It differs from a network in this, and says so in one sentence where somebody asks for more:

- Only servers of the same program can be reached, at 127.0.0.1. There is no other host, no TLS, no other process.
- One strand runs at a time, until it has to wait: a handler that computes on and on stops everything else.
- Nothing can be lost, cut or late on the way unless a tap makes it so, and a ping takes no time.

Nothing here knows the WebSocket protocol: to understand that, skip this folder.
"""

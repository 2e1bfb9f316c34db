"""A protocol on a socket: connections, the thread-based server, the client."""

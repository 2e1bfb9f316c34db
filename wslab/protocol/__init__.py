"""Bytes only: one end of a WebSocket connection, and every rule of the RFCs (RFC 6455, RFC 7692)."""

from wslab.protocol.endpoint import Protocol

__all__ = ["Protocol"]

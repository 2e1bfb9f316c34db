"""Connections as netstat lists them."""

"""Fuzzing: whatever bytes arrive, only a ProtocolError may come out of wslab (`python tests/fuzz/run.py`)."""

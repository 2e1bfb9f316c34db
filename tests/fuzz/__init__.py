"""Fuzzing: of whatever bytes, only a ProtocolError may come, of a file a CaptureError (`python tests/fuzz/run.py`)."""

"""A proxy between any client and any server, which records, and can disturb."""

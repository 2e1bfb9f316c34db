"""display: what the lower storeys recorded, shown to a reader."""

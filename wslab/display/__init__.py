"""What the lower storeys recorded, shown to a reader."""

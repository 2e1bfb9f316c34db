"""What a reader can turn and press in a notebook, each on top of a plain class that needs no browser."""

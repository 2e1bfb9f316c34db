"""JavaScript in the browser of the reader, run for a notebook."""

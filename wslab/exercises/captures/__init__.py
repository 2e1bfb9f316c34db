"""What a generated capture is made of: legal exchanges, and faults, one of which is put among them."""

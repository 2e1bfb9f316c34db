"""What tests share: peers, data, programs."""

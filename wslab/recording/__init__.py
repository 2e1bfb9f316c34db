"""What passed over a connection: its log, and captures as files, in and out."""

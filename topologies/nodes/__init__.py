"""What a lab consists of: Mininet topologies, nodes and links, and how to wait for them."""

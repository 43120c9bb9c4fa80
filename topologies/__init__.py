"""Labs: scenario files, Mininet topologies, and running labs."""

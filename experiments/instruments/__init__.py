"""What measures: the machine, the packets, and what the tools print."""

"""The command line: parses, calls, prints; everything else lives elsewhere."""

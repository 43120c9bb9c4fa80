"""The page on which one steps through a trace.  Pure."""

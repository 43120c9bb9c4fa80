"""What an overlay is, how it is described, and how it is raised on this machine."""

"""Names and addresses of everything that a lab will make.  Pure."""

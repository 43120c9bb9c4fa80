"""The host: processes, and who owns the files that are made."""

"""The report of a run as terminal text, JSON, Markdown and HTML."""

"""A told run, set for its readers: terminal, Markdown, HTML."""

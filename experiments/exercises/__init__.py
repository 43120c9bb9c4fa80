"""The exercises of the course, and the checks that say what is right and what is still wrong."""

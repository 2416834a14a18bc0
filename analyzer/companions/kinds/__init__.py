"""One companion a file."""

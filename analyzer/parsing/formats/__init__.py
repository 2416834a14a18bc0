"""One file a log format; each defines `FORMAT`."""

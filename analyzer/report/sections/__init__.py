"""One file a report section; each defines `SECTION`."""

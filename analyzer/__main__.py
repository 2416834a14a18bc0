"""`python -m analyzer` is `egress-audit`."""

from analyzer.cli import main

main()

"""`egress-audit catalog`: what this build knows."""

from analyzer.cli.options import Output, OutputOption


def command(output: OutputOption = Output.table) -> None:
    """List formats, envelopes, detectors, manifest kinds, report sections and settings."""
    from analyzer.catalog import catalog
    from analyzer.cli.terminal import print_json, print_table

    content = catalog()
    if output is Output.json:
        print_json(content)
        return
    rows = [(kind, item["name"], item["about"]) for kind, items in content.items() for item in items]
    print_table(("kind", "name", "about"), rows)

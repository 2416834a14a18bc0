"""Exports as CSV: Kibana and OpenSearch Dashboards, CloudWatch Insights, Splunk, Datadog, Grafana.

The header alone says what the columns are, so rows are read with it, by `analyzer.parsing.tabular`.
"""

from collections.abc import Sequence

from analyzer.parsing.envelopes import Inner
from analyzer.parsing.tabular import header_of


class CsvExport:
    """A header that names a column of lines is an envelope of no record: the rows below it are."""

    name = "csv_export"
    reference = (
        "elastic/kibana src/platform/packages/shared/kbn-generate-csv; Amazon CloudWatch Logs User Guide; RFC 4180"
    )
    begins: tuple[bytes, ...] = ()

    def recognizes(self, line: bytes) -> bool:
        """Never by a line: a row proves nothing without its header."""
        return False

    def peel(self, line: bytes) -> Sequence[Inner] | None:
        """A header holds no record."""
        return [] if header_of(line) else None


ENVELOPE = CsvExport()

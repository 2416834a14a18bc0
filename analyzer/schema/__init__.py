"""The access log as a typed table: every column, its type, its meaning and who could have written its value."""

from analyzer.schema.columns import COLUMNS, ENTRY, REJECTED, SCHEMA_VERSION, Column, Writer
from analyzer.schema.conform import conform

__all__ = ["COLUMNS", "ENTRY", "REJECTED", "SCHEMA_VERSION", "Column", "Writer", "conform"]

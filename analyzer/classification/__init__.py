"""Say, for each entry, where it went and by whose leave."""

from analyzer.classification.classify import classify

__all__ = ["classify"]

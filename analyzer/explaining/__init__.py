"""Everything known about one destination, from the log lines to the decision."""

from analyzer.explaining.explanation import Explanation, Touching, explain
from analyzer.explaining.learning import LearnedName
from analyzer.explaining.rendering import explanation_as_json, explanation_as_text

__all__ = ["Explanation", "LearnedName", "Touching", "explain", "explanation_as_json", "explanation_as_text"]

"""Hits of Elasticsearch and OpenSearch: one a line, an array of them, or the answer to a search."""

from collections.abc import Sequence
from typing import Any

from analyzer.parsing.envelopes import Inner
from analyzer.parsing.json_envelopes import JsonEnvelope, objects_in, records_of


def _records(value: Any) -> Sequence[Inner] | None:
    hits = _hits(value)
    return None if hits is None else [inner for hit in objects_in(hits) for inner in _of_hit(hit)]


def _hits(value: Any) -> list[Any] | None:
    """A hit by itself, an array of hits, an answer, several answers (`_msearch`), or what Kibana's inspector shows."""
    if isinstance(value, list):
        return value if value and all(_is_hit(item) for item in value) else None
    if _is_hit(value):
        return [value]
    value = value.get("rawResponse", value)
    answers = value.get("responses", [value]) if isinstance(value, dict) else None
    if not isinstance(answers, list) or not answers:
        return None
    inside = [answer.get("hits") if isinstance(answer, dict) else None for answer in answers]
    lists = [hits.get("hits") if isinstance(hits, dict) else None for hits in inside]
    found = [hits for hits in lists if isinstance(hits, list)]
    return [hit for hits in found for hit in hits] if len(found) == len(lists) else None


def _is_hit(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(value.get(key), dict) for key in ("_source", "fields")) and (
        "_index" in value or "_id" in value or "_source" in value
    )  # fmt: skip


def _of_hit(hit: dict[str, Any]) -> list[Inner]:
    """The document; where only `fields` were asked for, each is an array of values."""
    source = hit.get("_source")
    if isinstance(source, dict) and source:
        return records_of(source)
    fields = hit.get("fields")
    if not isinstance(fields, dict):
        return [Inner(b"")]
    return records_of({key: value[0] if isinstance(value, list) and value else value for key, value in fields.items()})


ENVELOPE = JsonEnvelope(
    name="elasticsearch",
    reference="elastic/elasticsearch docs/reference/search/search.asciidoc; opensearch-project/documentation-website _api-reference/search.md",
    hints=(b'"_source"', b'"hits"', b'"_index"'),
    records=_records,
)

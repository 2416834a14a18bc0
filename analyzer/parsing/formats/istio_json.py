"""Istio's default JSON access log; typed since 1.8, all strings before."""

from analyzer.parsing.json_lines import JsonFormat

FORMAT = JsonFormat(
    name="istio_json",
    reference="istio/istio pilot/pkg/model/telemetry_logging.go EnvoyJSONLogFormatIstio",
)

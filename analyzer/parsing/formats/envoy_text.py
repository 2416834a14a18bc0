"""Envoy's own default text access log: no cluster, no addresses, no SNI, so it cannot say by whose leave."""

from analyzer.parsing.text import TextFormat

FORMAT = TextFormat(
    name="envoy_text",
    reference="envoyproxy/envoy source/common/formatter/substitution_formatter.cc DEFAULT_FORMAT",
    format_string=(
        '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
        "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
        '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"'
    ),
    blind_spot=(
        "Envoy's own format logs no cluster, no route and no address that was dialled: it cannot say by whose leave a "
        'request left. Set Istio\'s default (`accessLogFormat: ""`).'
    ),
)

"""Istio 1.1's default text access log: Mixer status, neither failure reason nor route name."""

from analyzer.parsing.text import TextFormat

FORMAT = TextFormat(
    name="istio_text_1_1",
    reference="istio/istio pilot/pkg/networking/core/v1alpha3/listener.go EnvoyTextLogFormat",
    format_string=(
        '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
        '"%DYNAMIC_METADATA(istio.mixer:status)%" '
        "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
        '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" '
        "%UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
        "%REQUESTED_SERVER_NAME%"
    ),
    host_unchecked=True,
)

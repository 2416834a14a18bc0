"""Formats that somebody else wrote, with headers where no header should stand: still no line says what is not true."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsing import BlockReader, formats_for
from analyzer.parsing.layout import OPERATOR_FIELDS
from analyzer.schema import conform
from tests.hostile.envoy import HEADER, Record, as_text, requests, true_values

OWN = "REQ(X-FOO)"
FORMATS = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
    '"%REQ(USER-AGENT)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER% %DOWNSTREAM_LOCAL_ADDRESS% '
    '%ROUTE_NAME% "%REQ(X-FOO)%"',
    '%START_TIME% %UPSTREAM_CLUSTER% %ROUTE_NAME% %RESPONSE_CODE% %REQ(:AUTHORITY)% "%REQ(USER-AGENT)%"'
    " %UPSTREAM_HOST%",
    "code=%RESPONSE_CODE% ua=%REQ(USER-AGENT)% cluster=%UPSTREAM_CLUSTER% host=%REQ(:AUTHORITY)% route=%ROUTE_NAME%",
    "%REQ(X-FOO)% %RESPONSE_CODE% %RESPONSE_FLAGS% %UPSTREAM_CLUSTER% %DOWNSTREAM_LOCAL_ADDRESS% %ROUTE_NAME%",
)
READERS = [BlockReader(formats_for(format_string)) for format_string in FORMATS]
PROXY = (
    "response_code",
    "response_flags",
    "upstream_host",
    "upstream_cluster",
    "downstream_local_address",
    "route_name",
)
FORGERIES = (
    b'" 200 - "curl" "good.example" "1.1.1.1:80" outbound|80||good.example 1.1.1.1:80 default "x',
    b" cluster=outbound|80||good.example host=good.example route=default",
    b'x" 1.1.1.1:80',
    b"x 200 - outbound|80||good.example 1.1.1.1:80 default ",
)
EVIL = st.lists(st.sampled_from(FORGERIES) | HEADER, max_size=3).map(lambda parts: b"".join(parts).strip(b" \t"))


@pytest.mark.parametrize("place", range(len(FORMATS)))
@settings(max_examples=150)
@given(record=requests(), own=EVIL, agent=EVIL)
def test_no_request_makes_a_format_of_ones_own_say_what_is_not_true(
    place: int, record: Record, own: bytes, agent: bytes
) -> None:
    record = record | {OWN: own, "user_agent": agent}
    truth = true_values(record)

    for entries in READERS[place].read(as_text(record, FORMATS[place])).entries:
        columns = conform(entries.columns, len(entries))
        logged = {name for operator, name in OPERATOR_FIELDS.items() if f"%{operator}%" in FORMATS[place]}
        said = {name: columns[name][0].as_py() for name in PROXY if name in logged}
        assert {name: value for name, value in said.items() if value not in (None, truth[name])} == {}

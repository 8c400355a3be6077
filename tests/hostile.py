"""Requests that no honest client sends, by kind, as docs/security.md lists them."""

import gzip
import json
from collections.abc import Iterator

BYTES = [bytes([byte]) for byte in range(256)]
BIG = b"9" * 5000
JSON = b"Content-Type: application/json"
NOBODY = b"9000000000"  # no note has this id


def request(line: bytes, *headers: bytes, body: bytes | None = None, host: bytes = b"localhost") -> bytes:
    """Return a request of HTTP/1.1, complete but for what is wrong with it."""
    head = [line + b" HTTP/1.1", b"Host: " + host, b"Connection: close", *headers]
    if body is not None:
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(head) + b"\r\n\r\n" + (body or b"")


def percent(byte: bytes) -> bytes:
    """Return `byte` as an URL has it."""
    return b"%%%02x" % byte[0]


def paths() -> Iterator[bytes]:
    """Each byte in a path, as it is and encoded, under /api/ and elsewhere."""
    for byte in BYTES:
        if byte not in (b"?", b"#", b" "):  # these end a path
            yield request(b"GET /api/notes/a" + byte + b"z")
        yield request(b"GET /api/notes/a" + percent(byte) + b"z")
        yield request(b"GET /notes/a" + percent(byte) + b"z")
    for path in (
        b"/api/%",
        b"/api/%2",
        b"/api/%zz",
        b"/api/..%2f..%2fetc/passwd",
        b"/static/..%2f..%2fconfig.py",
    ):
        yield request(b"GET " + path)
    for path in (
        b"/../../etc/passwd",
        b"/api/%c0%ae%c0%ae/",
        b"/static/%00",
        b"//evil.example/%2e%2e",
        b"/api/\\..\\x",
    ):
        yield request(b"GET " + path)


def queries() -> Iterator[bytes]:
    """Each byte in a query, as it is and encoded."""
    for byte in BYTES:
        if byte not in (b"#", b" ", b"&"):
            yield request(b"GET /api/notes?limit=1" + byte)
        yield request(b"GET /api/notes?limit=1" + percent(byte))
        yield request(b"GET /api/notes?after=" + percent(byte))
        yield request(b"GET /notes?after=" + percent(byte))


def header_names() -> Iterator[bytes]:
    """Each byte in the name of a header."""
    for byte in BYTES:
        if byte not in b"\r\n":
            yield request(b"GET /api/nowhere", b"X" + byte + b"Y: z")
    yield request(b"GET /api/nowhere", b": no name")
    yield request(b"GET /api/nowhere", b"no colon")
    yield request(b"GET /api/nowhere", b"X-Space : before the colon")
    yield request(b"GET /api/nowhere", b" X-Fold: at the start")


def header_values() -> Iterator[bytes]:
    """Each byte in the value of headers that something reads."""
    names = (b"X-Request-ID", b"If-None-Match", b"If-Match", b"Accept", b"X-Forwarded-For", b"Authorization")
    for name in names:
        for byte in BYTES:
            if byte not in b"\r\n":
                yield request(b"GET /api/nowhere", name + b": a" + byte + b"z")
    for name in (b"Origin", b"Referer", b"Range", b"If-Modified-Since", b"Expect", b"X-Forwarded-Proto"):
        for value in (b"", b"\xff\xfe", b"a" * 4000, b"'\"<script>", b"bytes=0-,5-,1-", b"null"):
            yield request(b"GET /api/nowhere", name + b": " + value)
    for host in (b"", b"a b", b"a/b", b"[::1", b"a" * 300, b"\xff", b"a:b", b"a@b", b"a,b"):
        yield request(b"GET /api/nowhere", host=host)
    for value in (b"a" * 8000, b"a," * 4000, b", " * 4000, b"a:" * 4000, b"::" * 4000, b"a " * 4000):
        yield request(b"GET /api/nowhere", b"X-Forwarded-For: " + value)


def cookies() -> Iterator[bytes]:
    """Cookies that are malformed, forged or many."""
    for byte in BYTES:
        if byte not in b"\r\n":
            yield request(b"GET /api/nowhere", b"Cookie: slipway_session=a" + byte + b"z")
    for value in (
        b";;;=;=",
        b"=",
        b"a",
        b"slipway_session=.eJwBAAD.AAAA.AAAA",
        b"slipway_session=" + b"A" * 6000,
        b'slipway_session="\\377\\000"',
        b"slipway_session=null; slipway_session={}",
        b"; ".join(b"c%d=x" % number for number in range(400)),
    ):
        yield request(b"GET /api/nowhere", b"Cookie: " + value)
        yield request(b"GET /nowhere", b"Cookie: " + value)


def json_bodies() -> Iterator[bytes]:
    """Bodies that are no JSON, or none that a note can be made of."""
    bodies = [
        *BYTES,
        *(b'{"title": "a' + byte + b'"' for byte in BYTES),
        *(b'{"title": "\\ud8%02x"}' % byte for byte in range(0, 256, 5)),
        b"",
        b"{",
        b"[",
        b'{"title"',
        b'{"title":}',
        b"{'title': 'x'}",
        b'{"title": "x",}',
        b'{"title": "x"} {"title": "y"}',
        b'{"title": "x", "title": "y"}',
        b"\xef\xbb\xbf{}",
        '{"title": "x"}'.encode("utf-16"),
        '{"title": "x"}'.encode("utf-32"),
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"title": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"title": "' + b"\\u0000" * 10 + b'"}',
        b'{"title": "\\ud800"}',
        b'{"title": "x", "body": "\\udfff"}',
        b'{"\\ud800": 1}',
        b'{"\\u0000": 1}',
        b'{"__proto__": {}, "constructor": {}}',
        b'{"title": "x", "id": NaN}',
        b"{" + b",".join(b'"f%d": 1' % number for number in range(5000)) + b"}",
    ]
    values = [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0", b"0x1", b"01", b"1.", BIG, b"1e-" + BIG]
    values += [b"null", b"true", b"[]", b"{}", b"{}{}", b"1", b'""', b'"' + b"x" * 201 + b'"']
    bodies += [b'{"title": ' + value + b"}" for value in values] + values
    for body in bodies:
        yield request(b"POST /api/notes", JSON, body=body)
    for body in bodies[512:]:
        yield request(b"PATCH /api/notes/" + NOBODY, JSON, body=body)


def ids_cursors_limits() -> Iterator[bytes]:
    """Ids, cursors and limits of every absurd kind."""
    numbers: list[bytes] = [
        b"0",
        b"-1",
        b"00",
        b"01",
        b"1.0",
        b"1e3",
        b"0x10",
        b"NaN",
        b"1;2",
        b"1,2",
        b"%31%20",
    ]
    numbers += [
        b"9223372036854775807",
        b"9223372036854775808",
        b"18446744073709551616",
        BIG,
        b"%D9%A1",
        b"%EF%BC%91",
    ]
    numbers += [
        b"null",
        b"true",
        b"[]",
        b"{}",
        b"'",
        b"%27%20OR%201=1--",
        b"1%00",
        b"..",
        b"%2e%2e",
        b"+1",
        b"1_000",
    ]
    for number in numbers:
        for method in (b"GET", b"DELETE"):
            if number not in (b"..", b"%2e%2e"):
                yield request(
                    method + b" /api/notes/" + NOBODY + number
                    if number[:1].isdigit()
                    else method + b" /api/notes/" + number
                )
        yield request(b"GET /notes/" + number + b"/edit")
        yield request(b"GET /api/notes?limit=" + (b"-" if number == b"9223372036854775807" else b"") + number)
        yield request(b"GET /api/notes?after=" + number)
        yield request(b"GET /notes?limit=x" + number)
    for cursor in (
        b"AAAAAAAAAAA=",
        b"_" * 12,
        b"AAAAAAAAAAAAAAAA",
        b"AQAAAAAAAAAA",
        b"A",
        b"====",
        b"AAAA AAAA",
    ):
        yield request(b"GET /api/notes?after=" + cursor.replace(b" ", b"%20"))
    yield request(b"GET /api/notes?limit=1&limit=x&after=x")
    yield request(b"GET /api/notes?limit[]=1&limit=")


def kinds_and_lengths() -> Iterator[bytes]:
    """Content types, encodings and lengths that are wrong, missing or several."""
    body = b'{"title": "must not be made"}'
    kinds = [
        b"",
        b"text/plain",
        b"application/xml",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
    ]
    kinds += [
        b"application/jsonx",
        b"application",
        b"/",
        b";",
        b"application/json, text/plain",
        b"\xff",
        b"a" * 5000,
    ]
    for kind in kinds:
        yield request(b"POST /api/notes", b"Content-Type: " + kind, body=body)
    yield request(b"POST /api/notes", body=body)
    yield request(b"POST /api/notes", JSON, b"Content-Type: text/plain", body=body)
    yield request(b"POST /api/notes", b"Content-Type: text/plain", JSON, body=body)
    for kind in (b"a" * 7000, b'a; b="' + b"c" * 7000 + b'"', b'"' * 7000):
        yield request(b"POST /api/notes", b"Content-Type: " + kind, b"Content-Type: " + kind, body=body)
    for encoding in (b"gzip", b"br", b"deflate, gzip", b"nonsense", b"\xff"):
        yield request(b"POST /api/notes", JSON, b"Content-Encoding: " + encoding, body=gzip.compress(body))
    yield request(
        b"POST /api/notes", JSON + b"; charset=utf-16", body=json.dumps({"title": "x"}).encode("utf-16")
    )
    lengths = [
        b"-1",
        b"+29",
        b"0x1d",
        b"29, 29",
        b"29 29",
        b"2 9",
        b"",
        b"abc",
        b"1e1",
        BIG,
        b"18446744073709551616",
    ]
    for length in lengths:
        yield request(b"POST /api/notes", JSON, b"Content-Length: " + length) + body
    yield request(b"POST /api/notes", JSON, b"Content-Length: 1048577")
    yield request(b"POST /api/notes", JSON, b"Content-Length: 999999999999999999")
    for coding in (
        b"nonsense",
        b"gzip, chunked",
        b"chunked, chunked",
        b"identity",
        b"\x0bchunked",
        b"xchunked",
    ):
        yield request(b"POST /api/notes", JSON, b"Transfer-Encoding: " + coding) + b"0\r\n\r\n"
    for chunk in (b"x\r\n\r\n", b"-1\r\n\r\n", b"ffffffffffffffffff\r\n", b"5\r\n{}\r\n0\r\n\r\n"):
        yield request(b"POST /api/notes", JSON, b"Transfer-Encoding: chunked") + chunk


def forms() -> Iterator[bytes]:
    """Forms that are malformed or were not asked for here: none has the token of a session."""
    boundary = b"Content-Type: multipart/form-data; boundary=x"
    part = b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\n'
    for target in (b"/notes", b"/notes/" + NOBODY, b"/notes/" + NOBODY + b"/delete", b"/gauth/logout"):
        for body in (
            b"",
            b"title",
            b"title=x&csrf_token=",
            b"csrf_token=%00",
            b"csrf_token=\xff&title=x",
            b"&" * 9999,
        ):
            yield request(b"POST " + target, b"Content-Type: application/x-www-form-urlencoded", body=body)
        for body in (
            b"",
            part,
            part + b"x",
            part + b"x\r\n--x--",
            b"--x\r\n" * 1500,
            b"--y\r\n\r\n",
            b"\x00" * 1000,
        ):
            yield request(b"POST " + target, boundary, body=body)
        yield request(b"POST " + target, b"Content-Type: multipart/form-data", body=part)
        yield request(
            b"POST " + target, b"Content-Type: multipart/form-data; boundary=" + b"y" * 5000, body=part
        )


def methods() -> Iterator[bytes]:
    """Methods that nothing takes, or that are none."""
    for method in (
        b"TRACE",
        b"CONNECT",
        b"PUT",
        b"PROPFIND",
        b"FROB",
        b"get",
        b"G ET",
        b"GET\xff",
        b"",
        b"A" * 500,
    ):
        for target in (b"/api/notes", b"/api/notes/" + NOBODY, b"/notes", b"/static/style.css"):
            yield request(method + b" " + target)
    for target in (
        b"*",
        b"localhost:80",
        b"http://",
        b"http://a b/",
        b"ftp://localhost/",
        b"",
        b"api/notes",
        b"?x",
    ):
        yield request(b"GET " + target)
        yield request(b"OPTIONS " + target) if target != b"*" else request(b"FROB *")
    for version in (
        b"HTTP/0.8",
        b"HTTP/1.2.3",
        b"HTTP/3.7",
        b"HTTP/-1",
        b"HTTPS/1.1",
        b"http/1.1",
        b"HTTP/1.1 x",
    ):
        yield b"GET /api/nowhere " + version + b"\r\nHost: localhost\r\n\r\n"
    yield from (
        b"\r\n\r\n\r\n\x00\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"SSH-2.0-x\r\n\r\n",
        b"\xff" * 99 + b"\r\n\r\n",
    )
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def oversized() -> Iterator[bytes]:
    """Request lines, headers and bodies beyond what is taken."""
    yield request(b"GET /api/" + b"x" * 9000)
    yield request(b"GET /" + b"x" * 70_000)
    yield request(b"GET /api/notes?limit=x&y=" + b"z" * 30_000)
    yield request(b"GET /api/nowhere", b"X-Large: " + b"x" * 9000)
    yield request(b"GET /api/nowhere", *(b"X-Large: " + b"x" * 4000 for _ in range(20)))
    yield request(b"GET /api/nowhere", b"X" * 9000 + b": x")
    yield request(b"GET /api/nowhere", *(b"X-%d: x" % number for number in range(5000)))
    yield request(b"POST /api/notes", JSON, body=b'{"title": "' + b"x" * 1_048_576 + b'"}')
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    yield request(b"POST /api/notes", JSON, b"Transfer-Encoding: chunked") + chunk * 17


SMUGGLED = b"GET /api/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


def smuggling() -> Iterator[bytes]:
    """Requests that two servers could delimit differently, with another request inside.

    https://www.rfc-editor.org/rfc/rfc9112#section-11.2
    """
    line = b"POST /api/notes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + JSON + b"\r\n"
    length = b"Content-Length: %d\r\n" % (len(SMUGGLED) + 5)
    codings = [
        b"chunked",
        b" chunked",
        b"\tchunked",
        b"Chunked",
        b"chunked ",
        b"xchunked",
        b"chunked, identity",
    ]
    codings += [b'"chunked"', b"identity, chunked", b"chunked\r\nTransfer-Encoding: identity", b"\x0cchunked"]
    for coding in codings:
        for head in (
            length + b"Transfer-Encoding: " + coding,
            b"Transfer-Encoding: " + coding + b"\r\n" + length[:-2],
        ):
            yield line + head + b"\r\n\r\n0\r\n\r\n" + SMUGGLED
    for name in (
        b"Transfer-Encoding ",
        b"Transfer_Encoding",
        b"Transfer-Encoding\x00",
        b"\x0bTransfer-Encoding",
    ):
        yield line + length + name + b": chunked\r\n\r\n0\r\n\r\n" + SMUGGLED
    for end in (b"\n", b"\r", b"\x0b", b"\x00"):
        yield line + length + b"X: y" + end + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED
    yield line + b"Content-Length: 0\r\n" + length + b"\r\n" + SMUGGLED
    yield line + length + b"Content-Length: 0\r\n\r\n" + SMUGGLED
    yield line + b"Content-Length: 0, %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    yield line + b"Content-Length:\r\n %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    yield line + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    for size in (
        b"0\n\n",
        b"0;x\n\r\n",
        b"00000000000000000000\r\n\r\n",
        b"0x0\r\n\r\n",
        b"0 \r\n\r\n",
        b"-0\r\n\r\n",
    ):
        yield line + b"Transfer-Encoding: chunked\r\n\r\n" + size + SMUGGLED
    yield line.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED


KINDS: dict[str, list[bytes]] = {
    "Bytes in the path": list(paths()),
    "Bytes in the query": list(queries()),
    "Bytes in names of headers": list(header_names()),
    "Bytes in values of headers": list(header_values()),
    "Cookies": list(cookies()),
    "JSON": list(json_bodies()),
    "Ids, cursors, limits": list(ids_cursors_limits()),
    "Content types, encodings, lengths": list(kinds_and_lengths()),
    "Forms": list(forms()),
    "Methods, targets, versions": list(methods()),
    "Oversized": list(oversized()),
    "Request smuggling": list(smuggling()),
}

"""Tokens for the mail server: from a command that no shell runs, and from a token server."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest

from reportgen.delivery.server import MailFailure
from reportgen.delivery.tokens import TokenRequest, from_command, from_server

SECRET = "cl1ent-secret"
LINE = "chargeback.yaml:12"


def printing(code: str, **environment: str) -> str:
    return from_command([sys.executable, "-c", code], environment, LINE)


def failed(call) -> str:
    with pytest.raises(MailFailure) as caught:
        call()
    assert caught.value.problem.source == LINE
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return caught.value.problem.message


def test_a_command_prints_a_token():
    assert printing("print('ya29.token')") == "ya29.token"
    assert printing("import os; print(os.environ['T'])", T="ya29.other") == "ya29.other"


def test_no_shell_runs_it():
    command = [sys.executable, "-c", "import sys; print(len(sys.argv))", "$HOME; echo 1", "*"]
    assert from_command(command, {}, LINE) == "3"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys; print('s3cret'); print('s3cret', file=sys.stderr); sys.exit(7)", "with 7"),
        ("print('s3cret\\nand more')", "printed no token"),
        ("print()", "printed no token"),
        ("print('s3cret' * 5000)", "printed no token"),
        ("print('s3crét')", "printed no token"),
    ],
)
def test_what_is_no_token_is_said_and_never_shown(code, said, capfd):
    message = failed(lambda: printing(code))
    assert said in message
    assert "s3c" not in message + "".join(capfd.readouterr())


def test_a_command_that_is_not_there_or_never_ends_is_said():
    assert failed(lambda: from_command(["/no/such"], {}, LINE)).endswith(
        "cannot be run: no such file or directory"
    )
    assert failed(lambda: from_command(["a\0b"], {}, LINE)).endswith("it holds what no command can")
    command = [sys.executable, "-c", "import time; time.sleep(9)"]
    late = failed(lambda: from_command(command, {}, LINE, 0.1))
    assert late.endswith("within 0.1 seconds")


@contextmanager
def token_server(status: int, body: str) -> Iterator[tuple[str, list[dict[str, list[str]]]]]:
    asked = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            asked.append(parse_qs(self.rfile.read(length).decode()))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answering)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token", asked
    finally:
        server.shutdown()
        server.server_close()


def request(url: str) -> TokenRequest:
    return TokenRequest(
        url=url, client_id="chargeback", client_secret=SECRET, scope="mail", source=LINE
    )


def test_a_token_is_asked_for_by_client_credentials():
    with token_server(200, json.dumps({"access_token": "ya29.t", "expires_in": 3599})) as (
        url,
        asked,
    ):
        assert from_server(request(url)) == "ya29.t"
    assert asked == [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["chargeback"],
            "client_secret": [SECRET],
            "scope": ["mail"],
        }
    ]
    assert SECRET not in repr(request(url))


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, json.dumps({"error": "invalid_client"}), "gave no token: 401 (invalid_client)"),
        (400, json.dumps({"error": f"no {SECRET}"}), "gave no token: 400 (no [secret])"),
        (200, json.dumps({"access_token": 7}), "gave no token: 200"),
        (200, "[" * 100_000, "gave no token: 200"),
        (302, "", "gave no token: 302"),
        (500, json.dumps(["x"]), "gave no token: 500"),
    ],
)
def test_what_a_token_server_says_instead_is_told(status, body, said):
    with token_server(status, body) as (url, asked):
        message = failed(lambda: from_server(request(url)))
    assert message == f'the token server "127.0.0.1" {said}'
    assert len(asked) == 1


def test_a_token_server_that_is_not_there_is_said():
    with token_server(200, "") as (url, _):
        pass
    assert failed(lambda: from_server(request(url))).endswith("cannot be reached (ConnectError)")

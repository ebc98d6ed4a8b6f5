"""Options that contradict each other end with 2 and what to write, before anything is read."""

import pytest
from click.testing import CliRunner

from reportgen.cli import main

CYCLE = ("--cycle", "2025-12-05")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["explain", ".", "A-1", "B-2", *CYCLE], "got one name too many: B-2"),
        (["send", ".", *CYCLE, "--settle", "CC-1001"], "write it as CC-1001=sent"),
        (["init", " "], "it is empty"),
        (["close", ".", *CYCLE, "--dry-run", "--refresh"], "--dry-run writes nothing"),
        (["verify", ".", "--quick", "--sample", "3"], "nothing for --sample to choose"),
        (["verify", ".", "--seed", "3"], "--seed repeats the choice of --sample"),
        (["send", ".", *CYCLE, "--status", "--dry-run"], "one of --to, --check, --status"),
        (
            ["send", ".", *CYCLE, "--only", "A-1", "--settle", "A-1=sent"],
            "--resend and --settle name their cost centers themselves",
        ),
        (["send", "."], "say which billing cycle with --cycle"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(arguments, words):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert words in result.stderr

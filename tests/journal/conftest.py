"""The command line in this process."""

from tests.cli.conftest import cli as cli
from tests.cli.conftest import shown_words as shown_words

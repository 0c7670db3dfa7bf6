"""The command line. `main` is the only place that turns exceptions into a line and an exit code."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import re
import signal
import sys
import time
from io import TextIOWrapper

COLLECTED = 200_000  # new objects between garbage collections: at 700 a start stops for 100 of them
NO_READER = 141  # what shells report of tools whose reader went away, as `head` does: 128 + SIGPIPE
TERMINATED = 143  # and of those that were asked to end: 128 + SIGTERM
AT_ONCE = 1.0  # seconds in which SIGTERM counts once: `timeout` sends it to the process and then to its group


def main() -> None:
    """Run and exit with one of the codes of `docs/settings.md`."""
    code: object = 0
    gc.set_threshold(COLLECTED)
    terminated = _sigterm()
    try:
        code = _run()
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        code = _say("terminated", TERMINATED) if terminated else _say("interrupted", 130)
    except BrokenPipeError:
        code = NO_READER
    except SystemExit as ended:  # Typer and rich make one of a broken pipe
        code = NO_READER if isinstance(ended.__context__, BrokenPipeError) else ended.code
    except Exception as error:
        code = _explain(error)
    if code:
        _silence()
    gc.freeze()  # what is left ends with the process: looking through it once more is a twentieth of a short run
    sys.exit(code)


def _sigterm() -> list[float]:
    """When SIGTERM came, which from now on ends this process as Ctrl-C does, and its workers with it."""
    received: list[float] = []

    def end(number: int, frame: object) -> None:
        if received and time.monotonic() - received[-1] < AT_ONCE:
            return
        received.append(time.monotonic())
        raise KeyboardInterrupt

    with contextlib.suppress(ValueError):  # only the main thread is told of signals
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, end)
    return received


def _run() -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    from marketsim.cli import output
    from marketsim.cli.app import make_app

    output.begin()
    if "_MARKETSIM_COMPLETE" in os.environ:
        from marketsim.cli.completion import answer

        return answer(lambda: make_app([], whole=True)(prog_name="marketsim"))
    code: int | None = make_app(sys.argv[1:])(prog_name="marketsim", standalone_mode=False)
    if code == 130:  # what Typer makes of Ctrl-C
        raise KeyboardInterrupt
    output.hint()
    return code or 0


def _explain(error: Exception) -> int:
    """Say `error` on one line; its exit code."""
    import typer

    from marketsim.cli import output
    from marketsim.errors import MarketsimError

    output.trace(error)
    if isinstance(error, MarketsimError):
        return _say(str(error), error.exit_code)
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "marketsim"
        return _say(f"{_in_words(error.format_message())} (see '{command} --help')", 2)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return _say(f"cannot write the output: {error.strerror}", 1)
    if isinstance(error, MemoryError):
        return _say("memory ran out: ask for less at once, such as fewer --sims, symbols or --workers", 1)
    return _say(f"unexpected {type(error).__name__}: {error} (--debug shows where)", 1)


def _in_words(message: str) -> str:
    """Typer's message with a range in words, and an option at the front, as in the messages on settings.

    >>> _in_words("Invalid value for '--keep': -1.0 is not in the range 0<=x<=100.0.")
    '--keep: got -1.0, must be from 0 to 100'
    >>> _in_words("Invalid value for '--repeat': 0 is not in the range x>=1.")
    '--repeat: got 0, must be 1 or more'
    >>> _in_words("Invalid value for '--repeat': 'x' is not a valid integer range.")
    "--repeat: 'x' is not a whole number"
    """
    message = re.sub(r"Invalid value for '(-\S+)':", r"\1:", message.rstrip("."))
    message = re.sub(r"(\S+) is not in the range x>=(\S+)", r"got \1, must be \2 or more", message)
    message = re.sub(r"(\S+) is not in the range ([\d.]+)<=x<=([\d.]+)", r"got \1, must be from \2 to \3", message)
    message = re.sub(r"is not a valid float( range)?", "is not a number", message)
    return re.sub(r"is not a valid int\w*( range)?", "is not a whole number", message).removesuffix(".0")


def _say(message: str, code: int) -> int:
    from marketsim.cli import output

    with contextlib.suppress(OSError):  # nobody listens
        output.fail(message)
    return code


def _silence() -> None:
    """Keep the interpreter from complaining at exit about a pipe that nobody reads or a disk that is full."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

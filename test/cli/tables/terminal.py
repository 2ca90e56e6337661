"""Runs a command on a pseudo terminal of 60 x 12; prints all that it wrote, as JSON.

    python3 terminal.py '["a", "b"]' command...

Keys are written one by one, each once the command has been silent for a moment. A key "SIGTERM" is a signal. In place of a
key may stand [key, text]: what is silent before it has written the text after the key is only slow.
"""

import json
import os
import pty
import select
import signal
import sys
import time

SILENCE_S = 0.3
LIMIT_S = 60


def read_until_silent(terminal, started, until=b""):
    written = b""
    while time.monotonic() - started < LIMIT_S:
        ready, _, _ = select.select([terminal], [], [], SILENCE_S if written else 1)
        if not ready:
            if written and until in written:
                return written, False
            continue
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            return written, True
        if chunk == b"":
            return written, True
        written += chunk
    return written, False


def main():
    keys = json.loads(sys.argv[1])
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", COLUMNS="60", LINES="12")
        os.execvp(sys.argv[2], sys.argv[2:])
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 60, 0, 0))
    started = time.monotonic()
    screens = []
    written, has_ended = read_until_silent(terminal, started)
    screens.append(written)
    for entry in keys:
        key, until = entry if isinstance(entry, list) else (entry, "")
        if has_ended:
            break
        if key == "SIGTERM":
            os.kill(pid, signal.SIGTERM)
        else:
            os.write(terminal, key.encode())
        written, has_ended = read_until_silent(terminal, started, until.encode())
        screens.append(written)
    if not has_ended:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    print(json.dumps({"code": code, "screens": [screen.decode("utf-8", "replace") for screen in screens]}))


main()

"""Processes that the run starts: each ends with the run, however the run ends."""

import ctypes
import os
import resource
import signal
import subprocess
import threading
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """Something that was started did not do what it must: the text says what, `code` is its exit code if it ended."""

    def __init__(self, text, code=None):
        super().__init__(text)
        self.code = code


def end_with_parent():
    """In a child, before it becomes its program: the kernel ends it when the run is gone, even killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(command, **options):
    """Starts a program in a session of its own, so that the terminal's Ctrl-C reaches only the run."""
    command = [str(word) for word in command]
    return subprocess.Popen(command, start_new_session=True, preexec_fn=end_with_parent, **options)


def stat(pid):
    """The fields of /proc/PID/stat from the state on; none for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def everyone():
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            fields = stat(entry.name)
            if fields:
                yield int(entry.name), fields


def tree_cpu(root):
    """Processor seconds of a process and of all that it started, also of what has ended since."""
    children = {}
    for pid, fields in everyone():
        children.setdefault(int(fields[1]), []).append((pid, fields))
    own = stat(root)
    waiting, ticks = [(root, own)] if own else [], 0
    while waiting:
        pid, fields = waiting.pop()
        ticks += sum(int(field) for field in fields[11:15])
        waiting.extend(children.get(pid, []))
    return ticks / TICKS


def end_session(session):
    """Kills what is left in a session that `start` made, one by its number after the other."""
    for pid, fields in everyone():
        if int(fields[3]) == session and fields[0] != "Z":
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def measured(command, env, limit):
    """Runs a program to its end. Returns what it printed and the processor seconds of it and its children."""
    child = start(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    timer = threading.Timer(limit, end_session, [child.pid])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        timer.start()
        output, _ = child.communicate()
    finally:
        timer.cancel()
        end_session(child.pid)
        child.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if child.returncode:
        said = " ".join(Path(str(word)).name for word in command)
        raise Failed(f"`{said}` ended with exit code {child.returncode}; what it said stands above", child.returncode)
    return output, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

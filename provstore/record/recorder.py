"""The recorder of a process: where its steps go, what all of them say of it, and who sends them."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import provstore
from provstore import settings
from provstore.observe.hashing import Hasher
from provstore.observe.redaction import cleaned, suspicious
from provstore.record import sending
from provstore.record import spool as spooled
from provstore.record.host import Host
from provstore.record.sending import Answer, Flushed, Unavailable
from provstore.record.spool import Appender, Destination, Writer
from provstore.record.steps import Step
from provstore.record.things import Facts
from provstore.record.trouble import Troubles

#: How long a step waits to be sent with others, and the longest pause after a server could not be asked.
_PAUSE, _LONGEST = 2.0, 60.0
#: How long the end of a program may wait for what is left to be sent.
_AT_EXIT = 5.0
_COMMAND = "import sys; sys.path.insert(0, sys.argv.pop(1)); from provstore.cli import main; sys.exit(main())"


class Recorder:
    """Records steps and brings them to a server, to a store's directory, or to a file; one is enough for a process.

    What is not given is taken from `PROVSTORE_SERVER`, `PROVSTORE_DATA` and `PROVSTORE_SPOOL`. Without server,
    directory and file, steps stay in the spool until `provstore record flush` sends them. `namespace` is that of the
    jobs that steps are of (without one, the address of the code's repository); `who` runs this, `code` is the directory
    whose work tree the code is in. Nothing raises.
    """

    def __init__(
        self,
        *,
        server: str | None = None,
        data: str | os.PathLike[str] | None = None,
        file: str | os.PathLike[str] | None = None,
        spool: str | os.PathLike[str] | None = None,
        namespace: str = "",
        who: str = "",
        code: str = "",
    ) -> None:
        variables = os.environ
        self.troubles = Troubles()
        given = settings.recording(variables)
        if server or data or file:
            given = settings.Recording("", "", given.spool)
        self.spool = _folder(os.fspath(spool) if spool else given.spool)
        directory = os.fspath(data) if data else given.data
        self.to = Destination(server or given.server, "" if server else directory and os.path.abspath(directory))
        self.hasher = Hasher(self.spool / "digests")
        self.host = Host(variables, self.hasher, code)
        self._namespace, self._who = namespace, who
        self._writer = (
            Appender(Path(file).absolute(), self.troubles) if file else Writer(self.spool, self.to, self.troubles)
        )
        self._sender = _Sender(self)
        self._told_environment = 0
        atexit.register(self.close)

    def step(self, name: str, options: Mapping[str, Any]) -> Step:
        """A step, to be entered or to decorate a function with."""
        return Step(self, name, options)

    # --- what steps say ---------------------------------------------------------------------------------------------

    def began(self, step: Step) -> None:
        """A step has begun."""
        self.host.look()
        line = _dumped({"begun": step.id, "name": step.name})
        self._writer.begun(line.encode("utf-8", "replace") + b"\n")

    def ended(self, step: Step, told: Facts) -> None:
        """A step has ended: its record is on disk when this returns."""
        pid = os.getpid()
        facts = self.host.facts()
        told["namespace"] = told.get("namespace") or self._namespace or self.host.repository or "python"
        if "agents" not in told:
            told["agents"] = self._agents()
        if "seeds" in facts:
            told["seeds"] = {**facts["seeds"], **told.get("seeds", {})}
        line = _dumped(told)
        if suspicious(line):
            line = _dumped(cleaned(told))
        # what the process is of was made here, and holds no secrets; its packages are told once
        around: Facts = {name: facts[name] for name in ("code", "environment", "machine") if name in facts}
        if self._told_environment != pid:
            around["environment"] = self.host.environment()
        around["producer"] = f"provstore/{provstore.__version__}"
        self._writer.ended(f"{line[:-1]},{_dumped(around)[1:]}\n".encode("utf-8", "replace"))
        self._told_environment = pid
        self._sender.wake()

    def _agents(self) -> list[Facts]:
        if self._who:
            return [{"id": self._who, "kind": "person"}]
        user = self.host.user()
        return [{"id": user, "kind": "person", "selfAsserted": True}] if user else []

    # --- sending ----------------------------------------------------------------------------------------------------

    def flush(self, seconds: float = 60.0, *, patient: bool = True) -> Flushed:
        """Send what waits here, of this process and of those before it; what that came to. Never raises.

        Where somebody else is sending, who is `patient` waits for that, to send what is left.
        """
        with self.troubles.kept("sending steps"):
            until = time.monotonic() + seconds
            done = self._flush(until)
            while done.why == sending.BUSY and patient and time.monotonic() < until:
                time.sleep(0.05)
                done = self._flush(until)
            if done.why and done.why != sending.BUSY:
                self.troubles.tell("sending steps", done.why)
            return done
        return Flushed(why=self.troubles.last.get("sending steps", ""))

    def _flush(self, until: float) -> Flushed:
        if isinstance(self._writer, Appender):
            return Flushed()
        if self.to.server:
            server = _Deadline(self.to.server, until)
            done = sending.flush(self._writer.folder, server)
            if not done.why and (held := self._writer.held()):
                answers = server([line.rstrip(b"\n") for line in held])
                self._writer.release(len(answers))
                done.sent += len(answers)
            return done
        if self.to.data:
            return self._command(until) if spooled.files(self._writer.folder) else Flushed()
        waiting = sum(each.waiting for each in sending.status(self.spool) if each.to == self.to)
        return Flushed(waiting=waiting)

    def _command(self, until: float) -> Flushed:
        """Have a process of its own bring the spool into the directory: a store is not opened in the host."""
        package = str(Path(provstore.__file__).parent.parent)
        options = ("record", "flush", "--spool", str(self.spool), "--data", self.to.data, "--format", "json")
        done = subprocess.run(
            [sys.executable, "-P", "-c", _COMMAND, package, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=max(1.0, until - time.monotonic()),
        )
        try:
            said = json.loads(done.stdout)
            return Flushed(**{name: said[name] for name in ("sent", "refused", "waiting", "torn", "missing", "why")})
        except (ValueError, KeyError, TypeError):
            return Flushed(why=done.stderr.decode(errors="replace").strip()[-300:] or f"exit code {done.returncode}")

    def close(self) -> None:
        """Give up the file of this process, and send what can be sent in a few seconds."""
        with self.troubles.kept("ending the recorder"):
            self._sender.stop()
            self._writer.close()
            self.flush(_AT_EXIT if self.to.server else 60.0)


def _dumped(said: Facts) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _folder(named: str) -> Path:
    """The spool; in the directory for temporary files where there is no home or no working directory."""
    try:
        return Path(named).expanduser().absolute()
    except (RuntimeError, OSError):
        return Path(tempfile.gettempdir()) / f"provstore-{os.getuid()}"


class _Deadline:
    """A server that is asked no more after a time."""

    def __init__(self, url: str, until: float) -> None:
        # costs the import of urllib, which a program that only writes its spool need not wait for
        from provstore.record.server import Server

        self._make, self._url, self._until = Server, url, until

    def __call__(self, payloads: Sequence[bytes], /) -> list[Answer]:
        left = self._until - time.monotonic()
        if left <= 0:
            raise Unavailable("there was no time left to send more")
        return self._make(self._url, min(left, 30.0))(payloads)


class _Sender:
    """A thread that sends what was written to a server, a little later and many at once; started when it is wanted."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._wanted = threading.Event()
        self._stopped = False
        self._pid = 0

    def wake(self) -> None:
        """Something waits to be sent."""
        if self._stopped or not self._recorder.to.server:
            return
        if self._pid != os.getpid():
            self._pid, self._wanted = os.getpid(), threading.Event()
            with suppress(RuntimeError):  # an interpreter that is ending, or is not the main one: its end sends it all
                threading.Thread(target=self._run, name="provstore.record", daemon=True).start()
        self._wanted.set()

    def stop(self) -> None:
        """Send no more."""
        self._stopped = True
        self._wanted.set()

    def _run(self) -> None:
        pause = _PAUSE
        while True:
            self._wanted.wait()
            time.sleep(pause)
            if self._stopped:
                return
            self._wanted.clear()
            done = self._recorder.flush(patient=False)
            if done.why:
                self._wanted.set()
                pause = min(pause * 2, _LONGEST)
            else:
                pause = _PAUSE

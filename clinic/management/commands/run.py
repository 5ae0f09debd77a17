"""The whole product on one machine, from nothing: `make run`."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clinic import database, demo_file
from clinic.processes import Child, Stop, claim, end_all, live_addresses

HOST = "127.0.0.1"
WATCH_SECONDS = 1.0
READY_SECONDS = 180


class Command(BaseCommand):
    help = (
        "Starts Postgres, prepares the database, then runs the web server (PORT, 8000 by default) and the "
        "job worker until Ctrl-C or SIGTERM, starting again whatever dies. Ends every process it started."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        port = self._port()
        with Stop() as stop, claim(port, settings.SITE_URL) as running:
            if running is not None:
                raise CommandError(
                    f"Footing already runs at http://{HOST}:{port}/ (process {running}). `make stop` ends "
                    "it; PORT=8001 make run starts another."
                )
            if not database.is_free(port):
                raise CommandError(
                    f"Port {port} is taken by another program. End that program, or choose another port: "
                    "PORT=8001 make run."
                )
            try:
                self._run(port, stop)
            except database.PostgresError as error:
                raise CommandError(str(error)) from error

    def _port(self) -> int:
        value = os.environ.get("PORT", "8000")
        if not value.isdecimal() or not 0 < int(value) < 65_536:
            raise CommandError(f"PORT is {value!r}; it must be a number from 1 to 65535.")
        return int(value)

    def _run(self, port: int, stop: Stop) -> None:
        if stop:
            return
        children: list[Child] = []
        postgres = Postgres()
        try:
            self._say("Starting Postgres")
            postgres.up()
            self._say("Preparing the database")
            if not self._prepare(stop):
                return
            if settings.DEMO:
                demo_file.readdress(settings.SITE_URL)
            listener = self._listen(port)
            gunicorn = [sys.executable, "-m", "gunicorn", "--config", "python:clinic.server", "clinic.wsgi"]
            bind = ["--bind", f"fd://{listener.fileno()}", "--log-level", "warning"]
            # The socket is ours, so the address stays while the web server starts again: visitors wait.
            web = Child("web server", gunicorn + bind, keep=[listener.fileno()])
            jobs = [sys.executable, "manage.py", "procrastinate", "worker"]
            worker = Child("job worker", jobs, stdout=subprocess.DEVNULL)
            children += [web, worker]
            for child in children:
                child.start()
            if self._wait_until_ready(port, children, stop):
                self._announce(port)
                self._watch(web, worker, postgres, stop)
        finally:
            if children:
                self._say("Stopping")
            end_all(children, stop)
            self._leave_address()
            if not postgres.down():
                self._say("Postgres stays up: another command uses it.")

    def _prepare(self, stop: Stop) -> bool:
        """Whether the database is ready. False: somebody wants to stop."""
        child = Child("preparation", [sys.executable, "manage.py", "prepare", "--verbosity", "0"])
        child.start()
        try:
            while child.is_alive():
                if stop:
                    return False
                time.sleep(0.02)
            if child.process is not None and child.process.returncode != 0:
                raise CommandError("The database could not be prepared; the lines above say why.")
            return True
        finally:
            child.ask_to_end()
            child.end(seconds=5)

    def _listen(self, port: int) -> socket.socket:
        try:
            return socket.create_server((HOST, port), backlog=512)
        except OSError as error:
            raise CommandError(f"Port {port} has been taken meanwhile: {error.strerror}.") from error

    def _wait_until_ready(self, port: int, children: list[Child], stop: Stop) -> bool:
        """Whether the site answers. False: somebody wants to stop."""
        deadline = time.monotonic() + READY_SECONDS
        while not stop:
            if is_healthy(port):
                return True
            for child in children:
                self._say(child.tend())
            if time.monotonic() > deadline:
                raise CommandError(f"The web server does not answer after {READY_SECONDS} s.")
            time.sleep(0.05)
        return False

    def _watch(self, web: Child, worker: Child, postgres: "Postgres", stop: Stop) -> None:
        looked = time.monotonic()
        while not stop:
            for child in (web, worker):
                self._say(child.tend())
            if time.monotonic() - looked > WATCH_SECONDS:
                looked = time.monotonic()
                try:
                    if postgres.had_to_start_again():
                        self._say("Postgres was gone; it is up again.")
                        # It lives on, but without the wire on which Postgres tells it of new jobs.
                        worker.ask_to_end()
                        if postgres.has_moved():
                            web.ask_to_end()
                except database.PostgresError as error:
                    self._say(str(error))
            time.sleep(0.1)

    def _announce(self, port: int) -> None:
        address = f"http://{HOST}:{port}/"
        lines = [f"Footing is ready at {address}", ""]
        if settings.DEMO and (written := demo_file.read()):
            # Our own address, though a run that started meanwhile may have written its own.
            demo = demo_file.at(settings.SITE_URL, written)
            for invitation in demo["invitations"][:1]:
                lines += [
                    f"  A patient's invitation   {invitation['url']}",
                    f"  with date of birth       {invitation['birth_date']}",
                    "",
                ]
            lines.append(f"  Staff sign in at         {address}staff/")
            for member in demo["staff"]:
                words = f"{member['username']}   password {member['password']}   TOTP {member['totp']}"
                lines.append(f"    {member['role']:<22} {words}")
            lines += [
                "",
                f"  E-mails land in          {shown(settings.MAIL_DIR)}/",
                f"  All this as JSON         {shown(demo_file.FILE)}",
                "",
            ]
        lines.append("Ctrl-C stops it.")
        self.stdout.write("\n".join(lines))
        self.stdout.flush()

    def _leave_address(self) -> None:
        """The file of the demo must not lead to us any more while another run lives."""
        others = [address for address in live_addresses() if address != settings.SITE_URL]
        if settings.DEMO and others and demo_file.read().get("base_url") == settings.SITE_URL:
            demo_file.readdress(others[0])

    def _say(self, words: str) -> None:
        # A closed terminal must not keep us from ending what we started.
        with contextlib.suppress(OSError):
            if words:
                self.stderr.write(words)


class Postgres:
    """The embedded Postgres as far as a run answers for it.

    A server that a command had started before stays up after, and so does one that anybody else still uses.
    One that a run started, and left behind because it was killed, ends with the next.
    """

    def __init__(self) -> None:
        self.embedded = database.is_embedded()
        self.address: database.Urls | None = None
        self.before: database.Urls | None = None
        self.pid: int | None = None
        cluster = database.local()
        self.not_ours = cluster.status().pid if self.embedded and not cluster.is_of_run() else None

    def up(self) -> None:
        if self.embedded:
            cluster = database.local()
            cluster.use()
            self.before, self.address = self.address, cluster.up(by_run=True)
            self.pid = cluster.status().pid
            if self.pid != self.not_ours:
                cluster.give_to_run()

    def had_to_start_again(self) -> bool:
        """See it up. True when it is another server than last time. Raises `PostgresError`."""
        if not self.embedded:
            return False
        status = database.local().status()
        if status.up and status.pid == self.pid:
            return False
        self.up()
        return True

    def has_moved(self) -> bool:
        """Whether the last start gave it another address: its port had gone to another program."""
        return self.before is not None and self.before != self.address

    def down(self) -> bool:
        """Stop it if it is ours to stop. False: it stays up for others who use it."""
        if not self.embedded or database.local().status().pid == self.not_ours:
            return True
        return database.local().down_unused()


def is_healthy(port: int) -> bool:
    """Whether the site and its database answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def shown(path: Path) -> str:
    """A path as one types it from the checkout."""
    return str(path.relative_to(settings.BASE_DIR) if path.is_relative_to(settings.BASE_DIR) else path)

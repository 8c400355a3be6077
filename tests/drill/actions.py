"""The requests themselves, and what their answers have to be."""

import hashlib
import json
import os
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from .journal import Journal
from .kinds import LIST, SHOW
from .pools import Pool
from .tally import Tally
from .wire import Answer, Request

UPLOADED = 800_000  # bytes


class WrongError(Exception):
    """An answer is not what was asked for."""


@dataclass
class Actions:
    """What a client does; the notes it has created are those it asks for."""

    tally: Tally
    journal: Journal
    slow: str = "/slow"
    upload: str = "/upload"
    upload_takes: tuple[float, float] = (3, 5)  # seconds, from and to
    notes: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=1000))

    async def act(self, action: str, pool: Pool) -> None:
        """Send a request of this kind (WrongError, and what the pool raises)."""
        if action == SHOW and not self.notes:
            action = LIST
        await getattr(self, f"do_{action}")(pool)

    async def do_list(self, pool: Pool) -> None:
        """Read the newest notes, to which those belong that are acknowledged."""
        newest = max((number for number, _ in self.notes), default=0)
        answer = await pool.ask(Request("GET", "/api/notes?limit=5"))
        numbers = [note["id"] for note in read(answer, 200)["items"]]
        if len(numbers) > 5 or max(numbers, default=0) < newest:
            raise WrongError(f"notes {numbers}, where {newest} is acknowledged")

    async def do_show(self, pool: Pool) -> None:
        """Read a note."""
        number, title = random.choice(self.notes)  # noqa: S311 # no secret
        note = read(await pool.ask(Request("GET", f"/api/notes/{number}")), 200)
        if (note["id"], note["title"]) != (number, title):
            raise WrongError(f"note {note['id']} {note['title']}, for {number} {title}")

    async def do_create(self, pool: Pool) -> None:
        """Create a note, which is written down once it is acknowledged."""
        title = f"drill {uuid4().hex}"
        answer = await pool.ask(Request("POST", "/api/notes", json.dumps({"title": title}).encode()))
        if answer.status == 201:
            self.journal.add(title)
            self.tally.acknowledged += 1
        note = read(answer, 201)
        if note["title"] != title:
            raise WrongError(f"note {note['title']}, for {title}")
        self.notes.append((note["id"], title))

    async def do_slow(self, pool: Pool) -> None:
        """Ask for what takes its time."""
        seconds = random.uniform(0.5, 4)  # noqa: S311 # no secret
        read(await pool.ask(Request("GET", f"{self.slow}?seconds={seconds:.2f}")), 200)

    async def do_upload(self, pool: Pool) -> None:
        """Send a large body slowly."""
        body, seconds = os.urandom(UPLOADED), random.uniform(*self.upload_takes)  # noqa: S311 # no secret
        answer = await pool.ask(Request("POST", self.upload, body, seconds, "application/octet-stream"))
        if read(answer, 200)["sha256"] != hashlib.sha256(body).hexdigest():
            raise WrongError("the sha256 is of something else")


def read(answer: Answer, status: int) -> dict[str, Any]:
    """Return the object that an answer of this status holds (WrongError)."""
    if answer.status != status:
        raise WrongError(f"status {answer.status}: {bytes(answer.body[:200])!r}")
    document = answer.json()
    if not isinstance(document, dict):
        raise WrongError(f"no object: {bytes(answer.body[:200])!r}")
    return document

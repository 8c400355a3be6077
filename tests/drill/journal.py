"""The file of the acknowledged titles."""

import asyncio
import os
from pathlib import Path


class Journal:
    """Titles, a line each, which are on the disk soon after they were acknowledged."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a")
        self.waiting: list[str] = []

    def add(self, title: str) -> None:
        """Have a title written with the next of them."""
        self.waiting.append(f"{title}\n")

    def write(self) -> None:
        """Put what waits on the disk."""
        lines, self.waiting = self.waiting, []
        self.file.writelines(lines)
        self.file.flush()
        os.fdatasync(self.file.fileno())

    def close(self) -> None:
        """Put the last of them on the disk."""
        self.write()
        self.file.close()

    async def keep(self) -> None:
        """Write, beside what else goes on, until cancelled."""
        while True:
            await asyncio.sleep(0.1)
            if self.waiting:
                await asyncio.to_thread(self.write)

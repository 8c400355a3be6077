"""Before the rounds: that the contestants answer, and answer the same."""

import httpx

from .stack import Stack
from .tell import Failure
from .works import STATIC, Request, Work


def write_static(stack: Stack) -> None:
    """Put what the list answers into a file that nginx serves."""
    answer = httpx.get(f"{stack.url}/api/notes", timeout=20, trust_env=False)
    (stack.path / ".native/current/web/app" / STATIC.removeprefix("/")).write_bytes(answer.content)


def check_answers(works: dict[str, Work], urls: dict[str, str]) -> None:
    """Ask each side of each work once (Failure where an answer is no 2xx, or they differ in their fields)."""
    for name, work in works.items():
        ours, other = (ask(urls[request.contestant], request) for request in (work.ours, work.other))
        if name != "page" and fields(ours) != fields(other):
            raise Failure(f"{name}: {work.other.contestant} answers {fields(other)}, we {fields(ours)}")


def ask(url: str, request: Request) -> httpx.Response:
    """Send a request once (Failure)."""
    path = request.path.replace("%d", "1")
    with httpx.Client(base_url=url, timeout=20, trust_env=False) as client:  # no proxy of the environment
        answer = client.request(request.method, path, headers=request.headers, content=request.body or None)
    if not answer.is_success:
        raise Failure(f"{request.contestant}: {request.method} {path}: status {answer.status_code}")
    return answer


def fields(answer: httpx.Response) -> tuple[int, list[str]]:
    """Return how many items an answer has, and the names of their fields."""
    items = answer.json().get("items", [answer.json()])
    return len(items), sorted(items[0])

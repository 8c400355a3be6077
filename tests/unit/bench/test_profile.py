from bench.profile import busiest

FRAME = (
    '<g><title>{name} ({samples} samples, {share}%)</title><rect x="0%" y="{y}" width="1%" height="15"'
    ' fill="rgb(0,0,0)" fg:x="{x}" fg:w="{samples}"/><text x="0" y="1">{name}</text></g>'
)


def frame(name: str, y: int, x: int, samples: int) -> str:
    return FRAME.format(name=name, y=y, x=x, samples=samples, share=1.5)


def test_time_of_what_a_function_calls_is_not_its_own() -> None:
    graph = frame("all", 36, 0, 100) + frame("a (a.py:1)", 52, 0, 90) + frame("b (b.py:2)", 68, 10, 60)
    assert busiest(graph) == [("b (b.py:2)", 0.6), ("a (a.py:1)", 0.3), ("all", 0.1)]


def test_time_of_a_function_is_added_up_wherever_it_was_called() -> None:
    callers = frame("all", 36, 0, 100) + frame("a", 52, 0, 40) + frame("b", 52, 40, 60)
    calls = frame("c", 68, 0, 40) + frame("c", 68, 40, 60)
    assert busiest(callers + calls, 1) == [("c", 1.0)]

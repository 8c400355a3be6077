from generator.fields import read_fields
from generator.names import Names
from generator.render import Module, tidy
from tests.support import ROOT

FIELDS = "title:string:index:search body:text:search="


def test_notes_are_what_make_module_writes() -> None:
    written = tidy(Module(Names("note"), read_fields(FIELDS, lambda _: None)).files())
    assert {path: (ROOT / path).read_text() for path in written} == written, (
        "notes show what make module writes; where you have made them your own, delete this test"
    )

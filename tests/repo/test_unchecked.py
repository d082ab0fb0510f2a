"""The page of what is not authenticated is what the types declare."""

from tools import unchecked


def test_the_page_lists_what_the_types_declare():
    assert unchecked.PAGE.read_text(encoding="utf-8") == unchecked.page()
    assert "| `Request.subject` |" in unchecked.page()

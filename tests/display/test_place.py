"""place: HTML that stands for controls, and holds what is shown where they cannot be."""

from ipywidgets import HTML

from wslab.display.place import AGAIN, Place


def test_what_was_saved_comes_with_the_sentence_that_says_how_to_get_the_controls():
    html = Place(HTML("live")).html("<table></table>")
    assert f"<table></table><p><em>{AGAIN}</em></p>" in html


def test_every_place_has_a_name_of_its_own_by_which_the_browser_finds_it():
    box = HTML("live")
    one, other = Place(box), Place(box)
    assert one.name != other.name
    assert one.html("").startswith(f'<wslab-place name="{one.name}"')
    assert one.box is other.box is box


def test_the_script_comes_from_the_package():
    assert "customElements.define" in Place(HTML("live"))._esm

"""The digit is drawn with half blocks in colour, and with shades where there is none."""

from demo.picture import drawn

CHECKERS = [[0.0, 1.0], [1.0, 0.0]]


def test_without_colours_every_pixel_is_two_characters_wide():
    assert drawn(CHECKERS, colours=False).plain == "  ██  "[:2] + "██\n██  "


def test_with_colours_a_cell_holds_two_pixels_one_above_the_other():
    text = drawn(CHECKERS, colours=True)

    assert text.plain.splitlines() == ["▀▀▀▀", "▀▀▀▀"]
    greys = [(span.style.color.triplet.red, span.style.bgcolor.triplet.red) for span in text.spans]
    assert greys == [(0, 0)] * 2 + [(255, 255)] * 4 + [(0, 0)] * 2


def test_brightness_beyond_its_range_is_clamped():
    assert drawn([[-1.0, 2.0]], colours=False).plain == "  ██"

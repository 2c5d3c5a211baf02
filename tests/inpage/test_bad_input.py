"""Wrong arguments of a reader's case work or are named."""

from tempfile import mkdtemp

from bad_input import each_wrong_value
from multilora.inpage import case, case_files, drawing

EMPTY = mkdtemp()
GOOD = {
    case.own_case: (EMPTY, "", "80", 1, 1000, 16),
    case_files.files_in: (EMPTY,),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)


def test_a_row_without_room_is_no_picture_without_end():
    assert drawing.ticks(0) == [0]
    assert drawing.ticks(-5) == [0]

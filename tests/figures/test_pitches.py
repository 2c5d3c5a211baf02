"""The table and the picture of published claims."""

from multilora.evidence import audits
from multilora.evidence.pitches import CONDITION
from multilora.figures import pitches as pictures
from multilora.figures import style


def test_the_table_and_the_picture_show_every_claim():
    text = repr(pictures.audit_table())
    for item in audits.audits():
        assert item.pitch["claim"] in text and item.instead in text
    on_condition = [a for a in audits.audits() if a.verdict == CONDITION]
    assert text.count(CONDITION) == len(on_condition) > 0
    said = pictures.draw_packed(style.new_figure())
    assert "from 92 to 40" in said and "from 7.73 to 2.04" in said

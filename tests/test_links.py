from hypothesis import given
from hypothesis import strategies as st

from classifier.codepoints import Block
from classifier.links import MASK, canonical, mask_links, may_have_link

PIECES = ["http://", "https://", "www.", ".", "a", "b1", "cn", ".com", "/x?y", "，", " ", "款", "3.5", "*", "@", "-", "://"]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), max_size=6)


@given(TEXTS)
def test_the_screen_misses_no_link(texts):
    screened = may_have_link(Block(texts)).tolist()
    for text, may in zip(texts, screened, strict=True):
        assert may or canonical(text) == text


@given(TEXTS)
def test_masking_a_block_is_masking_each_text(texts):
    masked, points, rows = mask_links(Block(texts))
    assert masked == [canonical(t) for t in texts]
    assert "".join(map(chr, points)) == "".join(masked)
    assert rows == [i for i, t in enumerate(texts) if canonical(t) != t]
    assert all(MASK in masked[i] for i in rows)

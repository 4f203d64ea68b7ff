"""The digest that a file's content keeps: of the bytes as they are, whatever was done before."""

from hypothesis import given
from hypothesis import strategies as st

from kernel_model.vfs.content import PIECE_BYTES, Content

_OFFSETS = st.one_of(
    st.integers(0, 40), st.integers(PIECE_BYTES - 8, PIECE_BYTES + 8), st.just(3 * PIECE_BYTES)
)
_STORES = st.tuples(_OFFSETS, st.binary(max_size=24))
_CHANGES = st.lists(st.one_of(_STORES, _OFFSETS), max_size=12)


@given(changes=_CHANGES)
def test_the_digest_after_each_change_is_that_of_the_bytes(
    changes: list[tuple[int, bytes] | int],
) -> None:
    content, plain = Content(), bytearray()
    for change in changes:
        if isinstance(change, int):
            content.cut(change)
            del plain[change:]
        else:
            offset, data = change
            content.store(offset, data)
            plain.extend(bytes(max(0, offset + len(data) - len(plain))))
            plain[offset : offset + len(data)] = data
        assert content.digest() == Content(bytes(plain)).digest()


def test_bytes_and_where_they_lie_make_the_digest() -> None:
    here, there = Content(), Content()
    here.store(0, b"a")
    there.store(PIECE_BYTES, b"a")
    assert len({here.digest(), there.digest(), Content(b"b").digest(), Content().digest()}) == 4
    assert Content(b"a\0\0").digest() == here.digest()

"""An object is replaced only while it is what its writer has read, on a real store."""

import threading

from modelyard.clients.store import S3Store

KEY = "aliases/digits/challenger.json"


def test_it_is_written_once_where_there_was_none(store: S3Store) -> None:
    assert store.replace(KEY, None, b"1")
    assert not store.replace(KEY, None, b"2")
    assert store.get(KEY) == b"1"


def test_it_is_written_over_what_was_read_and_over_nothing_else(store: S3Store) -> None:
    store.put(KEY, b"1")
    assert store.replace(KEY, b"1", b"2")
    assert not store.replace(KEY, b"1", b"3")
    assert store.get(KEY) == b"2"
    store.delete(KEY)
    assert not store.replace(KEY, b"2", b"3")
    assert store.get(KEY) is None


def test_of_many_who_have_read_the_same_one_writes(store: S3Store) -> None:
    store.put(KEY, b"0")
    start, won = threading.Barrier(6), list[bytes]()

    def write(content: bytes) -> None:
        start.wait()
        if store.replace(KEY, b"0", content):
            won.append(content)

    writers = [threading.Thread(target=write, args=(str(at).encode(),)) for at in range(1, 7)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [store.get(KEY)] == won

"""requirements.txt of a Python model: what is a pin, and which line is none."""

import re
from pathlib import Path

import pytest

from modelyard.builder.python_models.packing import PYTHON
from modelyard.builder.python_models.requirements import NUMPY, read_requirements
from modelyard.errors import InvalidEntry

HASH = "--hash=sha256:" + "0a" * 32
TRITON = Path(__file__).resolve().parents[4] / "platform" / "images" / "triton-cpu"


def read(folder: Path, text: str) -> list[str]:
    (folder / "requirements.txt").write_text(text)
    return [str(package) for package in read_requirements(folder)]


def test_without_the_file_nothing_is_needed(tmp_path: Path) -> None:
    assert read_requirements(tmp_path) == ()
    assert read(tmp_path, "# nothing yet\n\n") == []


def test_names_are_as_indexes_compare_them_and_the_order_is_ours(tmp_path: Path) -> None:
    text = "Some_Thing == 1.0 # why\nA.b[x, y]==2.0.post1+local\nz==1!3\n"

    assert read(tmp_path, text) == ["a-b[x,y]==2.0.post1+local", "some-thing==1.0", "z==1!3"]


def test_hashes_may_stand_in_lines_that_go_on(tmp_path: Path) -> None:
    assert read(tmp_path, f"a==1 \\\n    {HASH} \\\n    {HASH}\n") == [f"a==1 {HASH} {HASH}"]
    assert read(tmp_path, f"a==1 {HASH} \\") == [f"a==1 {HASH}"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a", "pins no exact version"),
        ("a>=1", "pins no exact version"),
        ("a==1.*", "pins no exact version"),
        ("a===1", "pins no exact version"),
        ("a==1,<2", "pins no exact version"),
        ("a==1 --hash=md5:00", "pins no exact version"),
        ("-r more.txt", "option of pip"),
        ("-e .", "option of pip"),
        ("--index-url=http://who:secret@127.0.0.1/", "option of pip"),
        (HASH, "option of pip"),
        ("http://who:secret@127.0.0.1/a-1.whl", "names a place"),
        ("a @ http://who:secret@127.0.0.1/a-1.whl", "names a place"),
        ("a@git+ssh", "names a place"),
        ("./a", "names a place"),
        ("wheels/../a==1", "pins no exact version"),
        ('a==1; python_version < "3.12"', "has a condition"),
    ],
)
def test_a_line_that_is_no_pin_is_refused_by_its_number_and_never_repeated(
    tmp_path: Path, line: str, says: str
) -> None:
    with pytest.raises(InvalidEntry, match=rf"^line 3 of requirements\.txt .*{re.escape(says)}") as refused:
        read(tmp_path, f"# first\nb==1\n{line}\n")

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("version", ["2.1.0", "1.25.2"])
def test_a_numpy_that_is_not_the_servers_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(InvalidEntry, match=rf"line 1 of .* pins numpy {version}, .* pin numpy=={NUMPY}"):
        read(tmp_path, f"NumPy=={version}\n")

    assert read(tmp_path, f"numpy=={NUMPY}\n") == [f"numpy=={NUMPY}"]


def test_the_numpy_and_the_python_are_those_of_the_image() -> None:
    assert f"numpy=={NUMPY} " in (TRITON / "requirements.txt").read_text()
    assert f"libpython{PYTHON} " in (TRITON / "Dockerfile").read_text()


def test_a_package_stands_once_and_hashes_are_for_all_or_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidEntry, match=r"line 2 of .* pins a-b again"):
        read(tmp_path, "a-b==1\nA_b==2\n")
    with pytest.raises(InvalidEntry, match=r"line 2 of .* has no hash"):
        read(tmp_path, f"a==1 {HASH}\nb==1\n")


def test_what_is_no_list_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidEntry, match="larger than 1 MiB"):
        read(tmp_path, "#" * (1 << 21))
    (tmp_path / "requirements.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidEntry, match="is not text"):
        read_requirements(tmp_path)

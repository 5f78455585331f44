"""An image is kept under the digest of its recipe, what it copies, its programs and its bases."""

from pathlib import Path

from localcluster.image_builds.catalogue import Image, bases, copied, digest, platform_images


def image(folder: Path, dockerfile: str) -> Image:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Dockerfile").write_text(dockerfile)
    return Image("x", "docker.io/modelyard-local/x:1", folder, folder / "Dockerfile")


def test_bases_leave_out_scratch_and_earlier_stages():
    text = "FROM debian:12 AS a\nFROM --platform=linux/amd64 a AS b\nFROM scratch\nCOPY --from=a / /\n"
    assert bases(text) == ["debian:12"]


def test_copied_files_are_those_of_the_build_context(tmp_path: Path):
    for name in ("pyproject.toml", "constraints.txt", "other.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "src").mkdir()
    lines = ["COPY --chown=1:1 pyproject.toml \\", "  constraints.txt ./", "COPY src /src/", "COPY --from=a /x /y"]
    text = "\n".join([*lines, "# COPY other.txt /"])
    names = [path.name for path in copied(text, tmp_path)]
    assert sorted(names) == ["constraints.txt", "pyproject.toml", "src"]


def test_a_new_recipe_new_programs_and_a_new_base_each_give_a_new_digest(tmp_path: Path):
    plain = image(tmp_path / "a", "FROM base:1\nUSER 1:1\n")
    other = image(tmp_path / "b", "FROM base:1\nUSER 2:2\n")
    found = {
        digest(plain, None, {}),
        digest(other, None, {}),
        digest(plain, Path("/cache/bin/0123"), {}),
        digest(plain, Path("/cache/bin/4567"), {}),
        digest(plain, None, {"base:1": "new"}),
    }
    assert len(found) == 5


def test_the_digest_does_not_depend_on_where_programs_lie(tmp_path: Path):
    plain = image(tmp_path / "a", "FROM scratch\n")
    assert digest(plain, Path("/one/bin/0123"), {}) == digest(plain, Path("/two/bin/0123"), {})


def test_the_builder_is_made_from_the_image_that_serves():
    found = {one.name: one for one in platform_images()}
    assert set(found) == {"operator", "triton-cpu", "builder", "recorder", "trainer", "builder-gpu"}
    assert found["triton-cpu"].reference in found["builder"].bases


def test_the_builder_also_holds_the_load_tests():
    builder = next(one for one in platform_images() if one.name == "builder")
    assert "loadtests" in {part.name for part in builder.parts}
    assert all(part.exists() and builder.context in part.parents for part in builder.parts)


def test_the_image_that_trains_has_the_programs_and_nothing_else_of_ours():
    trainer = next(one for one in platform_images() if one.name == "trainer")
    assert trainer.addon == "training"
    assert {part.name for part in trainer.parts if "modelyard" in part.parts} == {"start.py", "programs"}


def test_the_platform_s_images_are_made_anew_when_its_sources_change_and_not_for_the_local_cluster():
    for one in platform_images():
        assert one.parts, f"{one.name} copies nothing"
        assert not any("localcluster" in part.parts for part in one.parts)
    operator = next(one for one in platform_images() if one.name == "operator")
    assert operator.addon == ""
    assert "src" in {part.name for part in operator.parts}

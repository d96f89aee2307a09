"""What is said of checklists from which no deployment can start."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import SHIPPED
from bot.unusable import why_unusable

MORE = " `gonogo checklist lint {}/theirs.md` says more."


@pytest.mark.parametrize(
    ("document", "policy", "told"),
    [
        (b"# Theirs\n- [ ] One\n", ("theirs.yaml", "a: [1\n"), "theirs.yaml:2:1: policy-yaml "),
        (b"# Theirs\n- [ ] One\n", ("theirs.yml", "timezon: UTC\n"), "theirs.yml:1:1: policy-key "),
        (b"# Theirs\n- [ ] One\n", ("theirs.yaml", b"a: \xff\n"), "theirs.yaml is not UTF-8 text (byte 3)"),
        (b"# Theirs\n", None, "theirs.md:1:1: no-items it has no items to tick; "),
        (b"", None, "theirs.md:1:1: no-items it has no items to tick; "),
        (b"ok\n\x81", None, "theirs.md:2:1: document this is not text: byte 0x81 "),
    ],
)
def test_a_line_says_what_is_wrong_where_and_what_shows_it_all(
    document: bytes, policy: tuple[str, str | bytes] | None, told: str, tmp_path: Path
) -> None:
    (tmp_path / "theirs.md").write_bytes(document)
    if policy is not None:
        name, text = policy
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    for file in ("theirs.md", "theirs.yaml"):
        said = why_unusable(tmp_path / file)
        assert (
            said.replace(f"{tmp_path}/theirs.y", "theirs.y")
            .replace(": " + f"{tmp_path}/", ": ")
            .startswith(f"theirs cannot be used: {told}")
        )
        assert said.endswith(MORE.format(tmp_path))
        assert "\n" not in said


def test_what_can_be_used_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "theirs.md").write_text("# Theirs\n- [ ] One\n")
    assert why_unusable(tmp_path / "theirs.md") == why_unusable(SHIPPED / "maishapoa.md") == ""


def test_a_file_that_is_gone_is_said() -> None:
    assert why_unusable(Path("gone.md")).startswith("gone cannot be used: There is no file gone.md. ")

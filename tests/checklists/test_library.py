"""Finding and loading a pair: by name from the folders, by path on the command line, or from texts kept elsewhere."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import checklists
from checklists.document import PhaseKind
from checklists.library import ChecklistError, default_policy, find, from_texts, load, names
from checklists.names import headings_named, match, rule_for
from checklists.policy import Announcement
from checklists.policy_file import PolicyError
from checklists.reader import read_checklist

SHIPPED = Path(checklists.__file__).parent

DOCUMENT = """\
# Shop
## Before
- [ ] Tests pass
## Deploy
### Steps
- [ ] Run it
### Watch
- [ ] Look
## After the deployment
- [ ] Tell the team
## Notes
### Steps
- [ ] Not this one
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.md").write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "README.md").write_text("# No checklist", encoding="utf-8")
    return tmp_path


def test_the_five_checklists_are_found_by_name() -> None:
    assert names([SHIPPED]) == ("azora", "ca-marketplace", "maishapoa", "petforce", "services-do")
    assert [load(name, [SHIPPED]).checklist.name for name in names([SHIPPED])] == list(names([SHIPPED]))


@pytest.mark.parametrize("wanted", ["shop", "shop.md", "shop.yaml", " shop "])
def test_a_name_may_carry_its_suffix(folder: Path, wanted: str) -> None:
    assert load(wanted, [folder]).source.name == "shop"


def test_the_first_folder_that_has_a_name_wins(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "shop.md").write_text("# Another", encoding="utf-8")
    assert load("shop", [other, folder]).checklist.title == "Another"


def test_an_unknown_name_lists_what_exists(folder: Path) -> None:
    with pytest.raises(ChecklistError, match=r"There is no checklist 'shpo'. Did you mean 'shop'\? There are: shop."):
        load("shpo", [folder])
    with pytest.raises(ChecklistError, match="There are none yet: put a Markdown file into"):
        load("shop", [folder / "empty"])


@pytest.mark.parametrize(
    "wanted", ["../shop", "/etc/passwd", "..", ".hidden", "a/b", "a\\b", "", "x" * 200, "a\x00b", "shop\n../x"]
)
def test_a_name_typed_in_chat_never_leaves_the_folders(folder: Path, wanted: str) -> None:
    with pytest.raises(ChecklistError, match="is not a name of a checklist"):
        load(wanted, [folder / "inner", folder])


def test_the_command_line_may_give_a_path_chat_may_not(folder: Path) -> None:
    path = str(folder / "shop.md")
    assert load(path, [], files=True).source.name == "shop"
    assert load(folder / "shop.yaml", []).source.name == "shop"
    with pytest.raises(ChecklistError):
        load(path, [folder])
    with pytest.raises(ChecklistError, match="There is no file"):
        load(folder / "gone.md", [])


def test_the_digest_covers_both_exact_texts(folder: Path) -> None:
    alone = find("shop", [folder]).digest
    (folder / "shop.yaml").write_text("", encoding="utf-8")
    empty = find("shop", [folder]).digest
    (folder / "shop.yaml").write_text("timezone: UTC\n", encoding="utf-8")
    with_policy = find("shop", [folder]).digest
    (folder / "shop.md").write_text(DOCUMENT + "\n", encoding="utf-8")
    assert len({alone, empty, with_policy, find("shop", [folder]).digest}) == 4


@pytest.mark.parametrize("name", ["azora", "petforce"])
def test_a_copy_from_texts_is_the_same_checklist(name: str) -> None:
    shipped = load(name, [SHIPPED])
    copy = from_texts(name, shipped.source.markdown, shipped.source.policy)
    assert (copy.checklist, copy.policy, copy.source.digest) == (
        shipped.checklist,
        shipped.policy,
        shipped.source.digest,
    )
    assert copy.source.folder is None


def test_a_policy_s_problems_come_with_its_file(folder: Path) -> None:
    (folder / "shop.yaml").write_text("timezon: UTC\n", encoding="utf-8")
    with pytest.raises(PolicyError, match=r"shop\.yaml:1:1: policy-key"):
        load("shop", [folder])
    (folder / "shop.yaml").write_bytes(b"service: \xff\n")
    with pytest.raises(ChecklistError, match="save it as UTF-8"):
        load("shop", [folder])


def test_phases_named_in_the_policy_stand_apart_and_keep_their_rules() -> None:
    loaded = from_texts(
        "shop",
        DOCUMENT,
        "phases:\n  Deploy > Steps: {deployed: true}\n  Deploy > Watch: {opens: T+0}\n  notes: {kind: reference}\n"
        "watch: [{at: T+30m, phase: Deploy > Watch}]\n",
    )
    phases = {phase.title: phase.kind for phase in loaded.checklist.phases if phase.items}
    assert phases == {
        "Before": PhaseKind.RUN,
        "Steps": PhaseKind.RUN,
        "Watch": PhaseKind.RUN,
        "After the deployment": PhaseKind.RUN,
        "Notes": PhaseKind.REFERENCE,
    }
    assert loaded.policy.phases["Steps"].deployed
    assert loaded.policy.watch[0].phase == "Watch"


def test_items_from_reads_what_github_shows_no_box_for() -> None:
    loaded = from_texts("shop", "# Shop\n## Do\n1. Run it\n2. Look\n", "items_from: [lists]\n")
    assert [item.label for item in loaded.checklist.items()] == ["Run it", "Look"]


def test_a_document_without_a_policy_runs_on_stated_defaults(folder: Path) -> None:
    loaded = load("shop", [folder])
    assert loaded.stated_defaults
    assert [str(entry.at) for entry in loaded.policy.watch] == ["T+30 m", "T+2 h", "T+24 h"]
    assert [entry.then for entry in loaded.policy.watch] == [(Announcement.SUCCEEDED,), (), (Announcement.STABLE,)]
    assert not any(entry.measure or entry.probes for entry in loaded.policy.watch)
    assert {title for title, rule in loaded.policy.phases.items() if rule.deployed} == {"Deploy"}
    assert "The deployment itself is taken to happen in “Deploy”." in loaded.stated
    assert any("No deployment windows" in sentence for sentence in loaded.stated)


@pytest.mark.parametrize(
    ("titles", "deployed"),
    [
        (["Prepare", "Deploy", "Post-deployment"], "Deploy"),
        (["Prepare", "Roll out", "Monitoring"], "Roll out"),
        (["Prepare", "Ship", "Verification", "After"], "Ship"),
        (["Only this"], "Only this"),
        (["Prepare", "Ship"], "Ship"),
        (["Postgres", "Ship"], "Ship"),
        ([], None),
    ],
)
def test_where_the_deployment_happens_is_guessed_from_the_titles(titles: list[str], deployed: str | None) -> None:
    text = "# Doc\n" + "".join(f"## {title}\n- [ ] do it\n" for title in titles)
    policy, _ = default_policy(read_checklist(text, name="doc"))
    assert next((title for title, rule in policy.phases.items() if rule.deployed), None) == deployed


def test_the_second_check_comes_after_two_hours() -> None:
    policy, _ = default_policy(read_checklist(DOCUMENT, name="shop"))
    assert policy.watch[1].at.offset == timedelta(hours=2)


@pytest.mark.parametrize(
    ("key", "path", "found"),
    [
        ("Team told", ("A", "B", "Team told"), 1),
        ("team  TOLD", ("A", "B", "**Team told**"), 1),
        ("B > Team told", ("A", "B", "Team told"), 2),
        ("A > Team told", ("A", "B", "Team told"), 2),
        ("B > A > Team told", ("A", "B", "Team told"), 0),
        ("C > Team told", ("A", "B", "Team told"), 0),
        ("Success rate > 99.9%", ("A", "B", "Success rate > 99.9%"), 1),
        ("B > Success rate > 99.9%", ("A", "B", "Success rate > 99.9%"), 2),
        ("> A > B > Team told", ("A", "B", "Team told"), 3),
        ("> B > Team told", ("A", "B", "Team told"), 0),
        ("All tests (`npm test`)", ("A", "All tests (npm test)"), 1),
    ],
)
def test_keys_name_items_by_their_words(key: str, path: tuple[str, ...], found: int) -> None:
    assert match(key, *path) == found


def test_a_narrowed_key_beats_a_plain_one() -> None:
    rules = {"Told": "plain", "B > Told": "narrowed"}
    assert rule_for(rules, "A", "B", "Told") == "narrowed"
    assert rule_for(rules, "A", "C", "Told") == "plain"
    assert rule_for(rules, "A", "C", "Asked") is None


def test_a_plain_heading_means_the_one_highest_up() -> None:
    paths = [("Doc", "After"), ("Doc", "Summary", "After"), ("Doc", "One", "Steps"), ("Doc", "Two", "Steps")]
    assert headings_named("After", paths) == [("Doc", "After")]
    assert headings_named("Summary > After", paths) == [("Doc", "Summary", "After")]
    assert len(headings_named("Steps", paths)) == 2
    assert headings_named("Nowhere", paths) == []

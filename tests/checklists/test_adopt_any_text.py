from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checklists.adopt import adopt
from checklists.library import from_texts
from checklists.policy import Policy
from checklists.policy_file import load_policy

pytestmark = pytest.mark.slow

FOLDER = Path("checklists")
DOCUMENTS = [
    (FOLDER / f"{name}.md").read_text(encoding="utf-8-sig")
    for name in ("services-do", "ca-marketplace", "petforce", "maishapoa", "azora")
]
LINES = sorted({line for text in DOCUMENTS for line in text.split("\n")})

quantities = st.sampled_from(
    [
        "error rate > 5% for 5+ minutes", "<500ms p95", "P95 response time < 500 ms", "CPU < 70%, Memory ≥ 9999999999%",
        "Response times > 2x normal", "10am-4pm", "24:00-24:00", "25:00-99:99 UTC", "12 AM - 12 PM EST", "Tue-Thu",
        "Avoid: Fridays, Weekends, Holidays", "Month-end, Quarter-end", "Feb 30 - Feb 31", "Dec 20 - Jan 3",
        "Never deploy on Fridays after 25pm", "every 0 minutes", "every 1 second", "T+0", "T-99999 weeks",
        "T+5 to T+1 minutes",
        "(0-0 minutes)", "first 9999 hours", "< baseline", "Target = 2-4 times per week", "99-1%",
        "Deploy window 9am-9am",
    ]
)  # fmt: skip
blanks = st.sampled_from(
    [
        "{{ VERSION }}", "{{", "}}", "{% if %}", "{# x #}", "[x]", "<x>", "$X", "${X}", "ALL_CAPS", "{x}", "___", "{%",
        "%}",
        "{{ '{{' }}", "v1.2.0", "2026-01-12 10:00 UTC", "`", "[a](b)", "https://x.example/health", "https://[",
        "#deploys",
    ]
)  # fmt: skip
scraps = st.one_of(
    st.text(max_size=40),
    st.sampled_from(LINES),
    quantities,
    st.lists(st.one_of(blanks, st.text(max_size=8)), max_size=5).map(" ".join),
)
shapes = st.sampled_from(
    [
        "# {}", "## {}", "### Deploy {}", "- [ ] {}", "  - [ ] {}", "- {}", "  - {}", "1. {}", "> {}", "**{}**:", "{}",
        "| {} | {} |", "|---|---|", "```\n✅ Deployment complete\n{}\nChanges:\n- a\n```",
        "```bash\ncurl {}\necho \"{}\"\n```",
        "- Critical: roll back {}", "## Rollback if {}", "- [ ] Announce \"Deployment started {}\"", "- ☐ {}",
        "## Deployment windows {}", "- Avoid {}", "## Contacts\n| Role | Name |\n|---|---|\n| {} | {} |",
    ]
)  # fmt: skip
documents = st.lists(st.tuples(shapes, scraps).map(lambda pair: pair[0].replace("{}", pair[1])), max_size=25).map(
    "\n".join
)


def policy_of(text: str, name: str = "any") -> Policy:
    return load_policy(adopt(text, name=name), file="any.yaml")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents)
def test_any_text_becomes_a_policy_that_loads_with_its_document(text: str) -> None:
    from_texts("any", text, adopt(text, name="any"))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(DOCUMENTS), st.randoms(use_true_random=False), st.text(max_size=20))
def test_a_document_with_its_lines_shuffled_still_becomes_a_policy(text: str, chance: object, scrap: str) -> None:
    lines = text.split("\n")
    for _ in range(12):
        at = chance.randrange(len(lines))  # type: ignore[attr-defined]
        lines[at] = chance.choice([scrap, "", lines[chance.randrange(len(lines))]])  # type: ignore[attr-defined]
    policy_of("\n".join(lines))


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60))
def test_any_name_will_do(name: str) -> None:
    policy_of("- [ ] Go\n", name)


@settings(max_examples=25, deadline=None)
@given(documents)
def test_the_same_text_gives_the_same_draft(text: str) -> None:
    assert adopt(text, name="any") == adopt(text, name="any")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\ufeff# Title\n\n- [ ] One\n",
        "---\nname: Release\nlabels: x\n---\n\n## Checklist\n\n- [] a tag\n- [ ] b\n",
        "# A\n\n# B\n\n### C\n\n##### D\n\n- [ ] one\n",
        "No heading at all.\n\n1. Run the tests\n2. Tag\n",
        "<details>\n<summary>Day 1</summary>\n\n- [ ] one\n\n</details>\n",
        "**Production**:\n- \n",
        "* [x] done\n+ [ ] plus\n1) [ ] number\n\t- [ ] tab\n",
        "- [ ] parent\n        - [ ] eight spaces\n",
        "- group\n  - [ ] same\n- other\n  - [ ] same\n",
        "<!--\n- [ ] hidden\n{{range .Items}}\n-->\n- [ ] {{ env.RELEASE_VERSION }}\n",
        "- [ ] \n- [ ] " + "word " * 2000 + "\n",
        "| Task | Owner |\n|---|---|\n| ☐ one | @ann |\n| ☐ two | @bob |\n",
        "- ✅ one\n- [✅] two\n- ⚪ three\n",
        "# مرحبا\n\n- [ ] نشر\n\n# 部署\n\n- [ ] 上线 < 5%\n",
        "# CRLF\r\n\r\n- [ ] one\r\n\r- [ ] two\x00\x07\x1b[31m\r\n",
        "## Same\n\n- [ ] a\n\n## Same\n\n- [ ] a\n",
        "- [ ] a\n" * 790,
        "".join(f"{'#' * (1 + n % 6)} Day {n} (T+{n} hours)\n\n- [ ] item {n}\n\n" for n in range(150)),
    ],
    ids=lambda text: repr(text[:24]),
)
def test_checklists_of_every_shape_become_policies(text: str) -> None:
    from_texts("any", text, adopt(text, name="any"))


def test_a_draft_that_is_bytes_of_another_encoding_is_read_like_the_document() -> None:
    assert "name" not in policy_of("Fenêtre\n".encode("cp1252").decode("cp1252")).windows
    assert adopt("# Déploiement\n\n- [ ] Go\n".encode("cp1252"), name="x")


def test_a_long_document_stays_a_small_draft() -> None:
    text = "".join(
        f"## Phase {n} (T+{n} minutes)\n\n- [ ] Error rate < {n}%\n- QA{n} lead: x\n- Avoid May {n % 28 + 1}, 2030\n\n"
        for n in range(1, 600)
    )
    draft = adopt(text, name="long")
    assert len(draft) < 60_000
    load_policy(draft, file="long.yaml")

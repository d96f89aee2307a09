"""`gonogo probe`, as somebody at a terminal meets it, against vendors on loopback."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.connections import probe_keys
from bot.domain.errors import Unwell
from bot.probing import ask
from bot.settings import Settings
from checklists.library import from_texts
from tests.fakes.vendors import Reply, Vendor, vendor_server
from tests.fakes.vendors_cloud import AWS_ID, AWS_SECRET, FLY_TOKEN, KUBERNETES_TOKEN, Fly, machine
from tests.fakes.vendors_github import TOKEN, GitHub, check, pull, review
from tests.fakes.vendors_status import PAGERDUTY_TOKEN, Statuspage, incident
from tests.process import gonogo, new_database

SECRETS = (TOKEN, FLY_TOKEN, AWS_SECRET, KUBERNETES_TOKEN, PAGERDUTY_TOKEN)
DOCUMENT = "# Theirs\n\n## Deploy\n- [ ] One\n"


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with vendor_server() as vendor:
        yield vendor


def probe(
    folder: Path, policy: str, *arguments: str, **environment: str
) -> tuple[int, list[dict[str, str]], subprocess.CompletedProcess[str]]:
    """Exit code, the rows of the table by heading, and all that was said."""
    (folder / "theirs.md").write_text(DOCUMENT)
    (folder / "theirs.yaml").write_text(policy)
    settings = {"GONOGO_CHECKLISTS": str(folder), "GONOGO_DATABASE_URL": f"sqlite:///{folder / 'gonogo.db'}"}
    told = gonogo("probe", "theirs", *arguments, folder=folder, **{**settings, **environment})
    assert not any(secret in told.stdout + told.stderr for secret in SECRETS)
    lines = told.stdout.splitlines()
    if not lines:
        return told.returncode, [], told
    names = ["name", "source", "value", "unit", "threshold", "verdict", "ms", "detail"]
    assert lines[0].split() == names
    starts = [lines[0].index(name) for name in names if name != "ms"]
    rows = []
    for line in lines[1:]:
        ends = [*starts[1:], len(line) + 1]
        cells = [line[at:end].strip() for at, end in zip(starts, ends, strict=True)]
        cells[5:6] = cells[5].rsplit(maxsplit=1)  # the verdict, and milliseconds that stand to the right
        rows.append(dict(zip(names, cells, strict=True)))
    return told.returncode, rows, told


def test_a_table_of_what_every_source_says_now(tmp_path: Path, vendor: Vendor) -> None:
    github = GitHub(vendor.base, pulls=[pull()], reviews=[review("ann"), review("ben")], check_runs=[check("test")])
    fly, page = Fly({"acme-api": [machine("blue", "started", "passing")]}), Statuspage()

    def serve(request: object) -> Reply:
        path = request.path  # type: ignore[attr-defined]
        if path.startswith("/repos/"):
            return github(request)  # type: ignore[arg-type]
        return fly(request) if path.startswith("/v1/apps") else page(request)  # type: ignore[arg-type]

    vendor.serve = serve
    policy = f"""
repository: acme/api
probes:
  approvals: {{github: approvals, target: ">= 2 count"}}
  ci: {{github: checks}}
  app: {{fly: acme-api}}
  provider: {{statuspage: "{vendor.base}"}}
  smoke: {{command: smoke}}
  quiet: {{incidents: none}}
  all_of_it: {{all: [app, provider]}}
watch:
  - {{at: T+30m, measure: {{ci: "= 100%"}}}}
  - {{at: T+2h, measure: {{ci: "> 50%"}}}}
"""
    settings = {
        "GONOGO_GITHUB_TOKEN": TOKEN,
        "GONOGO_GITHUB_API_URL": vendor.base,
        "GONOGO_FLY_TOKEN": FLY_TOKEN,
        "GONOGO_FLY_API_URL": vendor.base,
        "GONOGO_COMMANDS": json.dumps({"smoke": ["echo", "12 of 12 passed"]}),
    }
    new_database(tmp_path)
    code, rows, told = probe(tmp_path, policy, "--version", "v1.2.0", **settings)
    assert (code, told.stderr) == (0, ""), told.stdout
    said = [(row["name"], row["source"], row["value"], row["unit"], row["threshold"], row["verdict"]) for row in rows]
    assert said == [
        ("approvals", "github: approvals", "2", "count", ">= 2 count", "healthy"),
        ("ci", "github: checks", "100%", "ratio", "= 100%", "healthy"),
        ("app", "fly: acme-api", "yes", "yes/no", "", "healthy"),
        ("provider", f"statuspage: {vendor.base}", "yes", "yes/no", "", "healthy"),
        ("smoke", "command: smoke", "yes", "yes/no", "", "healthy"),
        ("quiet", "incidents: none", "yes", "yes/no", "", "healthy"),
    ]
    assert [row["detail"] for row in rows][0::4] == ["2 on #42: ann, ben", "12 of 12 passed"]
    assert rows[-1]["detail"] == "no active incident"
    assert all(row["ms"].isdecimal() for row in rows)


@pytest.mark.slow
def test_one_that_is_not_healthy_is_exit_code_1_whatever_else_is_unknown(tmp_path: Path, vendor: Vendor) -> None:
    page = Statuspage([incident("Deploys are slow")])
    points = Reply({"MetricDataResults": [{"Timestamps": [1], "Values": [93.0]}]})
    vendor.serve = lambda request: points if request.method == "POST" else page(request)
    policy = f"""
probes:
  provider: {{statuspage: "{vendor.base}"}}
  cpu: {{cloudwatch: AWS/ECS CPU Average Name=api, unit: "%", target: "< 60%"}}
  app: {{fly: acme-api}}
  quiet: {{incidents: none}}
  approvals: {{github: approvals, unit: count, target: ">= 1 count"}}
  version: {{http: "{vendor.base}/version", json: version, equals: "{{{{ version }}}}"}}
  errors: {{sentry: shop errors, release: "shop@{{{{ version }}}}", unit: count, target: "= 0 count"}}
"""
    settings = {
        "GONOGO_AWS_REGION": "eu-west-1",
        "GONOGO_AWS_ACCESS_KEY_ID": AWS_ID,
        "GONOGO_AWS_SECRET_ACCESS_KEY": AWS_SECRET,
        "GONOGO_AWS_ENDPOINT_URL": vendor.base,
        "GONOGO_GITHUB_TOKEN": TOKEN,
        "GONOGO_GITHUB_API_URL": vendor.base,
    }
    code, rows, _ = probe(tmp_path, policy, **settings)
    refused, which = "unknown (refused)", "about which version? say it with --version"
    missing = "is not connected: its address or its key is missing in the settings"
    assert code == 1
    assert [(row["value"], row["verdict"], row["detail"]) for row in rows] == [
        ("no", "failing", "provider: Acme: Deploys are slow (investigating)"),
        ("93%", "failing", "cpu 93% (target < 60%)"),
        ("-", refused, f"fly {missing}"),
        ("-", refused, f"incidents {missing}"),
        ("-", refused, which),
        ("-", refused, which),
        ("-", refused, which),
    ]
    assert not (tmp_path / "gonogo.db").exists(), "asking changes nothing"
    assert len(vendor.asked) == 2


@pytest.mark.slow
def test_one_probe_by_its_name_and_unknown_is_exit_code_2(tmp_path: Path, vendor: Vendor) -> None:
    vendor.serve = Fly({"acme-api": []})
    policy = "probes: {app: {fly: acme-api}, other: {fly: acme-web}}\n"
    code, rows, _ = probe(tmp_path, policy, "app", GONOGO_FLY_TOKEN=FLY_TOKEN, GONOGO_FLY_API_URL=vendor.base)
    assert (code, len(vendor.asked)) == (2, 1)
    assert [(row["name"], row["verdict"], row["detail"]) for row in rows] == [
        ("app", "unknown (no data)", "acme-api has no machine")
    ]


@pytest.mark.slow
def test_a_policy_that_cannot_be_read_is_exit_code_2(tmp_path: Path) -> None:
    _, _, told = probe(tmp_path, "probes: {quiet: {incidents: some}}\n")
    assert (told.returncode, "theirs.yaml:1" in told.stderr) == (2, True)


@pytest.mark.slow
def test_commands_that_are_no_json_are_said_so(tmp_path: Path) -> None:
    _, _, told = probe(tmp_path, "probes: {smoke: {command: smoke}}\n", GONOGO_COMMANDS="smoke: /opt/smoke")
    assert told.returncode == 2
    assert told.stderr.startswith("GONOGO_COMMANDS is no JSON.")


@pytest.mark.slow
def test_a_name_that_does_not_exist_is_exit_code_2(tmp_path: Path) -> None:
    _, _, told = probe(tmp_path, "probes: {quiet: {incidents: none}}\n", "noise")
    assert (told.returncode, told.stderr) == (2, "theirs has no probe 'noise'. There are: quiet.\n")


@pytest.mark.parametrize(
    ("policy", "environment", "why"),
    [
        ("timezone: UTC", "production", "theirs has no probes: write some under `probes` of theirs.yaml"),
        ("probes: {quiet: {incidents: none}}", "moon", "moon"),
    ],
)
async def test_where_there_is_nothing_to_ask_it_says_so(policy: str, environment: str, why: str) -> None:
    loaded = from_texts("theirs", DOCUMENT, policy)
    with pytest.raises(Unwell, match=re.escape(why)):
        await ask(Settings(_env_file=None), loaded, None, environment=environment, version="")  # type: ignore[call-arg]


def test_half_of_what_a_source_needs_connects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = probe_keys(Settings(_env_file=None, aws_region="eu-west-1", aws_access_key_id=AWS_ID))  # type: ignore[call-arg]
    assert (keys.cloudwatch, keys.github, keys.pagerduty, keys.fly, keys.redis, keys.commands) == (None,) * 5 + ({},)
    monkeypatch.setenv("GONOGO_COMMANDS", '{"smoke": []}')
    with pytest.raises(ValidationError, match="commands"):
        Settings(_env_file=None)  # type: ignore[call-arg]
    monkeypatch.setenv("GONOGO_COMMANDS", '{"smoke": ["/opt/smoke", "-q"]}')
    monkeypatch.setenv("GONOGO_REDIS_URL", "redis://probe:not-a-real-one@localhost/0")
    keys = probe_keys(Settings(_env_file=None))  # type: ignore[call-arg]
    assert keys.commands == {"smoke": ("/opt/smoke", "-q")}
    assert keys.redis is not None
    assert "not-a-real-one" not in repr(keys)


def test_what_is_compared_with_the_time_before_t0_is_for_the_checks_of_a_deployment(tmp_path: Path) -> None:
    policy = """
probes: {p95: {prometheus: x, unit: s}, slower: {baseline: p95}}
watch: [{at: T+30m, measure: {slower: "< 2 x"}}]
"""
    code, rows, _ = probe(tmp_path, policy, "slower")
    assert (code, rows[0]["source"], rows[0]["verdict"]) == (2, "baseline: p95", "unknown (refused)")
    assert "only the checks of a deployment can tell" in rows[0]["detail"]

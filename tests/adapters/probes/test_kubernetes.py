"""The share of pods and nodes that are ready."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.probes.kubernetes import KubernetesCredentials, KubernetesProbe, in_cluster
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED
from tests.fakes.vendors import Vendor, vendor_server
from tests.fakes.vendors_cloud import KUBERNETES_TOKEN, Kubernetes, deployment, node, pod


async def ask(client: httpx.AsyncClient, vendor: Vendor, words: str, **credentials: Any) -> Measurement:
    keys = KubernetesCredentials(**{"api": vendor.base, "token": KUBERNETES_TOKEN, **credentials})
    return await KubernetesProbe(client, keys).measure("it", ProbePolicy(kubernetes=words, unit="ratio"), ASKED)


async def test_pods_that_are_done_or_going_are_left_out(client: httpx.AsyncClient, vendor: Vendor) -> None:
    pods = [
        pod("a"),
        pod("job", ready=False, phase="Succeeded"),
        pod("old", ready=False, gone=True),
        pod("new", ready=False, phase="Pending"),
        pod("bad", ready=False, waiting="CrashLoopBackOff"),
        pod("lost", phase="Unknown"),
        pod("blue", ready=False, slot="blue"),
    ]
    vendor.serve = Kubernetes({"production": pods})
    found = await ask(client, vendor, "pods slot=green -n production")
    assert found.value == pytest.approx(1 / 4)
    assert found.detail == "1 of 4 ready; not: new (Pending), bad (CrashLoopBackOff), lost (Unknown)"
    vendor.serve = Kubernetes({"production": pods[1:3]})
    assert (await ask(client, vendor, "pods slot=green -n production")).outcome is Outcome.NO_DATA


async def test_all_pages_are_read_and_an_expired_one_is_an_error(client: httpx.AsyncClient, vendor: Vendor) -> None:
    pods = [pod(str(number), ready=number != 6) for number in range(7)]
    vendor.serve = Kubernetes({"default": pods}, page=3)
    found = await ask(client, vendor, "pods slot=green")
    assert (found.value, len(vendor.asked)) == (pytest.approx(6 / 7), 3)
    vendor.serve = Kubernetes({"default": pods}, page=3, expire=True)
    assert (await ask(client, vendor, "pods slot=green")).outcome is Outcome.ERROR
    vendor.serve = Kubernetes({"default": pods * 4}, page=1)
    found = await ask(client, vendor, "pods slot=green")
    assert (found.outcome, "narrow the label" in found.detail) == (Outcome.ERROR, True)


async def test_a_node_is_ready_when_it_says_so(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = Kubernetes(nodes=[node("a"), node("b", "Unknown"), node("c", "False"), node("d")])
    found = await ask(client, vendor, "nodes")
    assert (found.value, found.detail) == (0.5, "2 of 4 ready; not: b (not ready), c (not ready)")


@pytest.mark.parametrize(
    "words", ["", "pods", "pods green", "pods a=b -n ../nodes", "pods a=b -n", "pods a=b c=d", "nodes x", "pods 'a=b"]
)
async def test_what_kubernetes_is_not_asked_is_refused(client: httpx.AsyncClient, vendor: Vendor, words: str) -> None:
    found = await ask(client, vendor, words)
    assert (found.outcome, vendor.asked) == (Outcome.REFUSED, [])
    assert "write `pods LABEL=VALUE -n NAMESPACE`, `nodes` or `rollout NAME -n NAMESPACE`" in found.detail


async def test_in_a_cluster_the_token_is_read_anew(client: httpx.AsyncClient, vendor: Vendor, tmp_path: Path) -> None:
    assert in_cluster(tmp_path) is None
    (tmp_path / "token").write_text("the first one\n")
    keys = in_cluster(tmp_path)
    assert keys is not None
    assert (keys.api, keys.ca_file) == ("https://kubernetes.default.svc", tmp_path / "ca.crt")
    vendor.serve = Kubernetes(nodes=[node("a")])
    probe = KubernetesProbe(client, KubernetesCredentials(vendor.base, token_file=keys.token_file))
    policy = ProbePolicy(kubernetes="nodes", unit="ratio")
    assert (await probe.measure("it", policy, ASKED)).outcome is Outcome.REFUSED
    (tmp_path / "token").write_text(f"{KUBERNETES_TOKEN}\n")
    assert (await probe.measure("it", policy, ASKED)).value == 1.0
    (tmp_path / "token").unlink()
    assert (await probe.measure("it", policy, ASKED)).outcome is Outcome.REFUSED


@pytest.fixture
def authorities(tmp_path: Path) -> Path:
    """A folder with two certificates of localhost that know nothing of each other."""
    for name in ("ours", "theirs"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-keyout", tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.crt"],
            check=True, capture_output=True, timeout=20,
        )  # fmt: skip
    return tmp_path


async def test_only_the_clusters_own_authority_is_trusted(client: httpx.AsyncClient, authorities: Path) -> None:
    tls = {"ssl_certfile": str(authorities / "ours.crt"), "ssl_keyfile": str(authorities / "ours.key")}
    with vendor_server(tls) as vendor:
        vendor.serve = Kubernetes(nodes=[node("a")])
        assert (await ask(client, vendor, "nodes", ca_file=authorities / "ours.crt")).value == 1.0
        found = await ask(client, vendor, "nodes", ca_file=authorities / "theirs.crt")
        assert (found.outcome, found.detail) == (Outcome.ERROR, "the certificate of Kubernetes cannot be checked")
        found = await ask(client, vendor, "nodes", ca_file=authorities / "none.crt")
        assert (found.outcome, "GONOGO_KUBERNETES_CA_FILE" in found.detail) == (Outcome.REFUSED, True)


@pytest.mark.parametrize(
    ("rollout", "outcome", "value", "detail"),
    [
        (deployment(3, 3, 3), Outcome.MEASURED, 1.0, "rolled out: 3 of 3 updated, 3 available"),
        (deployment(3, 1, 1, reason="ProgressDeadlineExceeded"), Outcome.MEASURED, 0.0,
         "it made no progress within its deadline: 1 of 3 updated, 1 available"),
        (deployment(3, 2, 2), Outcome.NO_DATA, None, "it still rolls out: 2 of 3 updated, 2 available"),
        (deployment(3, 3, 2), Outcome.NO_DATA, None, "it still rolls out: 3 of 3 updated, 2 available"),
        (deployment(3, 3, 3, 4), Outcome.NO_DATA, None, "it still rolls out: 1 old to be ended"),
        (deployment(3, 3, 3, seen=3), Outcome.NO_DATA, None, "its newest template has not been looked at yet"),
        (deployment(3, 3, 3, paused=True), Outcome.NO_DATA, None, "it is paused"),
        (deployment(0, 0, 0), Outcome.NO_DATA, None, "it is scaled to no replicas"),
    ],
)  # fmt: skip
async def test_a_rollout_is_told_as_kubectl_tells_it(
    client: httpx.AsyncClient,
    vendor: Vendor,
    rollout: dict[str, Any],
    outcome: Outcome,
    value: float | None,
    detail: str,
) -> None:
    vendor.serve = Kubernetes(deployments={"production/api": rollout})
    for words in ("rollout api -n production", "rollout deployment/api -n production"):
        found = await ask(client, vendor, words)
        assert (found.outcome, found.value, found.detail) == (outcome, value, detail)


async def test_a_deployment_that_is_not_there_or_cannot_be_meant(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = Kubernetes()
    found = await ask(client, vendor, "rollout api -n production")
    assert (found.outcome, found.detail) == (Outcome.ERROR, "there is no deployment api in production")
    vendor.asked.clear()
    for words in ("rollout", "rollout ../nodes -n production", "rollout a b", "rollout API"):
        assert (await ask(client, vendor, words)).outcome is Outcome.REFUSED
    assert vendor.asked == []

"""What the five teams must hear."""

from __future__ import annotations

from tests.conversation.scenes import Team

_NO_CHANGES = "unknown (there is no CHANGELOG.md beside the policy)"
_BACK = "Rolled back to: v1.1.0\nReason: Error rate at 7%\nStatus: System stable\nNext steps: Fix the query"


def _of(name: str, words: str) -> str:
    """Words of a team that do not name its service, and what stands below them."""
    return f"{words}\n{name} v1.2.0 → production"


def _back(name: str) -> str:
    return f"🔄 ROLLBACK COMPLETE\nService: {name}, production\n{_BACK}"


_BY_HAND = "\ngonogo only calls this rollback: somebody must run the commands in the thread."
"""Where no workflow of the policy carries it out."""


def _rolling(name: str, only: str = _BY_HAND) -> str:
    return f"🔄 Rolling back {name} from v1.2.0 to v1.1.0\nReason: Error rate at 7%{only}"


def _issue(name: str, found: str) -> str:
    return f"⚠️ Issue detected in production. Investigating...\n{name} v1.2.0: {found}"


def _started(name: str, *known: str) -> str:
    return "\n".join(("🚀 Production Deployment Starting", f"Service: {name}", "Version: v1.2.0", *known))


def _ticked(verified: str) -> str:
    return "\n".join(f"✓ {line}" for line in verified.strip().splitlines())


def _succeeded(name: str, verified: str, *links: str) -> str:
    tail = "\n\n" + "\n".join(links) if links else ""
    return f"""\
✅ Production Deployment Complete

Service: {name}
Version: v1.2.0
Deployed: {{deployed}} UTC
Duration: {{duration}}

Verification:
{_ticked(verified)}{tail}"""


_AZORA_STARTING = _of("azora", "Deployment starting in 30 minutes")
_AZORA_STARTED = _started("azora", "ETA: 30 minutes")
AZORA = Team(
    checklist="azora",
    name="azora v1.2.0 → production",
    closed="",
    open_at="2026-11-24 10:00",
    started="The card is in #deployments, the checklist in its thread: 10 phases, first “Pre-Deployment Checks "
    "(48 hours before)”. The window is open at all times",
    early="Not yet: “Pre-Deployment Checks (48 hours before)” still needs 2 items ticked or excused: "
    "• Rollback team ready • Stakeholders notified",
    signed={},
    deployed="Phase 7 of 10: Phase 5: Monitoring (T+5 to T+30 minutes) opens {t0+5m} by itself. "
    "Deployed {t0} by Ann. Checks {t0+30m} · {t0+2h} · tomorrow {t0}. 83 of 102.",
    half_hour="30-minute check: healthy. API health HTTP 200; Critical alerts healthy; Error rate 0.05% "
    "(target < 0.1%); API latency 61ms (target < 100ms); Database queries 12ms (target < 50ms); "
    "Pods running (green) 100% (target = 100%)",
    checks=(
        "After the switch check: healthy",
        "First 30 minutes check: healthy",
        "30-minute check: healthy",
        "2-hour check: healthy",
        "24-hour check: healthy",
    ),
    stable="102 of 102.",
    said={
        "#deployments": (
            _AZORA_STARTING,
            _AZORA_STARTED,
            _succeeded(
                "azora",
                """
Green pods healthy
Traffic switched
Error rate normal
Requests flowing
Error rate < 0.1%
API latency < 100ms
Database queries < 50ms
All services healthy
All services responding
Metrics normal
No error spikes
Smoke tests passed
Database consistent
""",
            ),
            "Deployment stable: azora v1.2.0",
        )
    },
    issue=_issue(
        "azora", "API health HTTP 503, expected 200; Error rate 7.2%; Pods running (green) 50%; API latency 1.53s"
    ),
    rolled_back="Rolled back to v1.1.0 at …: Error rate at 7%. 19 items left open. 7 of 7.",
    rollback_list=("Rollback Procedures", "Traffic switched back to blue", "Root cause analysis started"),
    said_back={
        "#deployments": (
            _AZORA_STARTING,
            _AZORA_STARTED,
            _issue(
                "azora",
                "API health HTTP 503, expected 200; Error rate 7.2%; Pods running (green) 50%; API latency 1.53s",
            ),
            _rolling("azora"),
            _of("azora", "Rollback completed. Investigating issue."),
        )
    },
)

_CA_VERIFIED = """\
1. Create production release tag
2. Enable maintenance mode (if required)
3. Trigger production deployment
4. Monitor deployment in real-time
5. Deployment phases completed
Pre-deployment checks: PASSED
Database backup: COMPLETED
Database migrations: COMPLETED
Container deployment: COMPLETED
Health checks: PASSING
Smoke tests: PASSED
6. Disable maintenance mode
Immediate verification (0-5 minutes)
User login
Service request creation
Payment processing
File upload
Email delivery
Short-term monitoring (5-30 minutes)
"""
_CA_SUCCEEDED = _of(
    "ca-marketplace",
    f"""\
✅ Production Deployment Complete

Version: v1.2.0
Deployed: {{deployed}} UTC
Duration: {{duration}}
Downtime: unknown (not measured)

Changes:
- {_NO_CHANGES}

Verification:
{_ticked(_CA_VERIFIED)}

Monitoring: https://sentry.io/ca-marketplace/production
Dashboards: https://datadog.com/dashboard/ca-marketplace""",
)
_CA_STARTING = "Deployment starting: ca-marketplace v1.2.0 to production"
_CA_STARTED = _started("ca-marketplace", "ETA: 30 minutes", "On-call: PagerDuty")
_CA_ISSUE = _issue(
    "ca-marketplace",
    "API health HTTP 503, expected 200; Database health HTTP 503, expected 200; Redis health HTTP 503, expected 200; "
    "Error rate 7.2%; Response time against normal 25 x",
)
CA_MARKETPLACE = Team(
    checklist="ca-marketplace",
    name="ca-marketplace v1.2.0 → production",
    # Tuesday is Guru Nanak Jayanti.
    closed="Friday. Opens Wed 25 Nov 10:00 UTC, in 4 days 17 h",
    open_at="2026-11-25 10:30",
    started="The card is in #deployments, the checklist in its thread: 9 phases, first “Pre-Deployment”. "
    "The window is open until Wed 25 Nov 14:00 UTC, 3 h 59 m left. "
    "Please mind: Schedule it during a low-traffic period; avoid peak traffic hours. "
    "Please mind: Notify the QA team before a staging deployment",
    early="Not yet: “Pre-Deployment” still needs 2 items ticked or excused: • Monitoring setup • Backup verification",
    signed={"quinn": 1, "pat": 1, "theo": 1},
    deployed="Phase 8 of 9: Post-Deployment Verification (Production). Next: Immediate verification (0-5 minutes) · "
    "User login · and 6 more. Deployed {t0} by Ann. Checks {t0+30m} · {t0+2h} · tomorrow {t0}. 65 of 84.",
    half_hour="30-minute check: healthy. API health HTTP 200; Database health HTTP 200; Redis health HTTP 200; "
    "Version HTTP 200; Error rate 0.05% (target < 1%); P50 response time 42ms (target < 200ms); "
    "P95 response time 61ms (target < 500ms); P99 response time 78ms (target < 1000ms); "
    "CPU usage 38% (target < 70%); Memory usage 52% (target < 80%); "
    "Response time against normal 1 x (target not > 2 x)",
    checks=(
        "Immediate verification (0-5 minutes) check: healthy",
        "Short-term monitoring (5-30 minutes) check: healthy",
        "30-minute check: healthy",
        "Extended monitoring (30min - 2 hours) check: healthy",
        "2-hour check: healthy",
        "24-hour check: healthy",
    ),
    stable="86 of 86.",
    said={
        "#deployments": (_CA_STARTING, _CA_STARTED, _CA_SUCCEEDED, "Deployment stable: ca-marketplace v1.2.0"),
        "#announcements": (_CA_STARTING, _CA_SUCCEEDED),
        "#qa": (_CA_STARTED,),
    },
    issue=_CA_ISSUE,
    rolled_back="Rolled back to v1.1.0 at …: Error rate at 7%. 19 items left open. 3 of 3.",
    rollback_list=("Rollback Procedures", "Smoke tests fail", "Automatic rollback triggered"),
    said_back={
        "#deployments": (_CA_STARTING, _CA_STARTED, _CA_ISSUE, _rolling("ca-marketplace"), _back("ca-marketplace")),
        "#announcements": (_CA_STARTING,),
        "#qa": (_CA_STARTED,),
    },
)

_PETFORCE_STARTED = _of(
    "petforce",
    "🚀 Production Deployment Starting\nVersion: v1.2.0\nETA: 45 minutes\n"
    f"Changes: {_NO_CHANGES}\nOn-call: Check PagerDuty",
)
_PETFORCE_ISSUE = _issue(
    "petforce",
    "Health HTTP 503, expected 200; Ready HTTP 503, expected 200; Error rate 7.2%; P99 1.95s; Success 92.8%",
)
PETFORCE = Team(
    checklist="petforce",
    name="petforce v1.2.0 → production",
    home="#engineering",
    zone="America/New_York",
    closed="Friday. Opens Tue 24 Nov 10:00 EST, in 3 days 22 h",
    open_at="2026-11-24 16:00",
    started="The card is in #engineering, the checklist in its thread: 12 phases, first “Pre-Deployment (1-2 days "
    "before)”. The window is open until Tue 24 Nov 16:00 EST, 5 h 59 m left",
    early="Not yet: “Pre-Deployment (1-2 days before)” still needs 2 items ticked or excused: "
    "• Estimated rollback time documented (< 5 minutes) • Rollback tested in staging",
    signed={"pat": 1},
    deployed="Phase 6 of 12: Step 4: Verification (10-15 minutes). Next: Critical API endpoints working · "
    "Dashboard metrics normal · and 8 more. Deployed {t0} by Ann. Checks {t0+30m} · {t0+2h} · tomorrow {t0}. "
    "77 of 120.",
    half_hour="30-minute check: healthy. Health HTTP 200; Ready HTTP 200; Error rate 0.05% (target < 0.1%); "
    "P99 78ms (target < 500ms); Success 99.97% (target > 99.9%)",
    checks=(
        "First 5 minutes check: healthy",
        "First 30 minutes check: healthy",
        "30-minute check: healthy",
        "2-hour check: healthy",
        "24-hour check: healthy",
    ),
    stable="126 of 126.",
    said={
        "#engineering": (
            _PETFORCE_STARTED,
            _of(
                "petforce",
                "✅ Production Deployment Complete\nVersion: v1.2.0\nDuration: {duration}\nStatus: Successful\n"
                "Metrics: ✅ Error rate: 0.05% | P99: 78ms | Success: 99.97%",
            ),
            "Deployment stable: petforce v1.2.0",
        )
    },
    issue=_PETFORCE_ISSUE,
    rolled_back="Rolled back to v1.1.0 at …: Error rate at 7%. 43 items left open. 4 of 4.",
    rollback_list=("Rollback Procedure (If Needed)", "Old version deployed", "Critical flows working"),
    said_back={
        "#engineering": (
            _PETFORCE_STARTED,
            _PETFORCE_ISSUE,
            _rolling("petforce", ""),
            _of("petforce", f"🔄 ROLLBACK COMPLETE\n{_BACK}"),
        )
    },
)

_SERVICES_STARTED = _started("services.do", "On-call: PagerDuty")
_SERVICES_ISSUE = _issue(
    "services.do",
    "Gateway HTTP 503, expected 200; DB HTTP 503, expected 200; Auth HTTP 503, expected 200; Error rate 7.2%; "
    "Response time (p95) 1.53s",
)
SERVICES_DO = Team(
    checklist="services-do",
    name="services.do v1.2.0 → production",
    closed="Friday afternoon. Opens Tue 24 Nov 10:00 UTC, in 3 days 17 h",
    open_at="2026-11-24 11:00",
    started="The card is in #deployments, the checklist in its thread: 8 phases, first “Pre-Deployment”. "
    "The window is open until Tue 24 Nov 16:00 UTC, 5 h 59 m left. Please mind: Deploy in a low traffic period",
    early="Not yet: “Pre-Deployment” still needs 2 items ticked or excused: "
    "• Manual testing completed in staging • Performance benchmarks within acceptable range",
    signed={},
    deployed="Phase 5 of 8: Post-Deployment Validation. Next: Health checks passing · All microservices · and 6 more. "
    "Deployed {t0} by Ann. Checks {t0+30m} · {t0+2h} · tomorrow {t0}. 53 of 75.",
    half_hour="30-minute check: healthy. Gateway HTTP 200; DB HTTP 200; Auth HTTP 200; Error rate 0.05% (target < 1%); "
    "Response time (p95) 61ms (target < 500ms); Requests 120 (target > 0 count)",
    checks=(
        "First 30 minutes check: healthy",
        "30-minute check: healthy",
        "2-hour check: healthy",
        "24-hour check: healthy",
    ),
    stable="78 of 78.",
    said={
        "#deployments": (
            _SERVICES_STARTED,
            _succeeded(
                "services.do",
                """
Create deployment issue/ticket
Deploy to production
Monitor deployment logs in real-time
Verify deployment completed successfully
Health checks passing
Gateway: https://api.services.do/health
All microservices
Critical endpoints working
No error spikes in logs
Response times normal
Cloudflare Analytics showing traffic
Monitor error rates
Monitor response times
Monitor traffic patterns
Check user reports
""",
                "Monitoring: https://dash.cloudflare.com",
            ),
            "Deployment stable: services.do v1.2.0",
        )
    },
    issue=_SERVICES_ISSUE,
    rolled_back="Rolled back to v1.1.0 at …: Error rate at 7%. 22 items left open. 7 of 7.",
    rollback_list=("Rollback Procedure", "Assess severity", "Verify services restored to previous state"),
    said_back={
        "#deployments": (_SERVICES_STARTED, _SERVICES_ISSUE, _rolling("services.do"), _back("services.do")),
        "#incidents": (_SERVICES_ISSUE, _rolling("services.do"), _back("services.do")),
    },
)

_MAISHAPOA_STARTED = _of("maishapoa", "Starting production deployment")
_MAISHAPOA_ISSUE = _of("maishapoa", "⚠️ Issue detected in production. Investigating...")
MAISHAPOA = Team(
    checklist="maishapoa",
    name="maishapoa v1.2.0 → production",
    closed="Friday. Opens Tue 24 Nov 10:00 UTC, in 3 days 17 h",
    open_at="2026-11-24 11:00",
    started="The card is in #deployments, the checklist in its thread: 8 phases, first “Pre-Deployment (1-2 days "
    "before)”. The window is open until Tue 24 Nov 14:00 UTC, 3 h 59 m left",
    early="Not yet: “Pre-Deployment (1-2 days before)” still needs 2 items ticked or excused: "
    "• Deployment window scheduled (Tue-Thu, 10 AM-2 PM) • Stakeholders informed",
    signed={},
    deployed="Phase 6 of 8: Post-Deployment (Immediately After). Next: Test critical user flows manually · "
    "Check one production transaction end-to-end · and 3 more. Deployed {t0} by Ann. "
    "Checks {t0+30m} · {t0+2h} · {t0+5h} · tomorrow {t0}. 43 of 58.",
    half_hour="30-minute check: healthy. Internal API HTTP 200; Agent registration HTTP 200; Public API HTTP 200; "
    "Error rate against baseline 1 x (target <= 1 x); Errors in Sentry against baseline 0.9 x (target <= 1 x); "
    "Response time against normal 1 x (target < 1.5 x)",
    checks=(
        "Every 15 minutes for 2 hours check: healthy",
        "30-minute check: healthy",
        "2-hour check: healthy",
        "End of day check: healthy",
        "24-hour check: healthy",
    ),
    stable="58 of 58.",
    said={
        "#deployments": (
            _MAISHAPOA_STARTED,
            _succeeded(
                "maishapoa",
                """
Watch GitHub Actions logs
Monitor Fly.io dashboard
Watch Sentry for new errors
Keep terminal ready for quick commands
GitHub Actions health checks pass
All apps deployed successfully
All health endpoints return 200
Test critical user flows manually
Check one production transaction end-to-end
No errors in application logs (first 5 minutes)
Response times normal
Error rate in Sentry < baseline
Database connections healthy
CPU/Memory usage normal
""",
            ),
            _of("maishapoa", "Deployment stable"),
        )
    },
    issue=_MAISHAPOA_ISSUE,
    until_issue="30m",
    rolled_back="Rolled back to v1.1.0 at …: Error rate at 7%. 15 items left open. 0 of 0.",
    rollback_list=("If Something Goes Wrong", "Assess severity", "flyctl releases"),
    said_back={
        "#deployments": (_MAISHAPOA_STARTED, _MAISHAPOA_ISSUE, _rolling("maishapoa"), _back("maishapoa")),
    },
)

TEAMS = (AZORA, CA_MARKETPLACE, MAISHAPOA, PETFORCE, SERVICES_DO)

"""What is announced where a team's policy has no template of its own: the nearest wording of the five documents.

In the documents these are samples of one deployment; here the sample values are variables, and a line with nothing to
point at is left out only where it is a link.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from checklists.policy import Announcement

_STARTING = """\
Deployment starting{% if starts_in is known %} in {{ starts_in }}{% endif %}: \
{{ service }} {{ version }} to {{ environment }}
"""

_STARTED = """\
🚀 {{ environment | capitalize }} Deployment Starting
Version: {{ version }}
ETA: {{ eta }}
Changes: {{ changes | join('; ') }}
On-call: {{ on_call }}
"""

_SUCCEEDED = """\
✅ {{ environment | capitalize }} Deployment Complete

Version: {{ version }}
Deployed: {{ deployed_at }}
Duration: {{ duration }}
Downtime: {{ downtime }}

Changes:
{% for change in changes %}
- {{ change }}
{% else %}
- none recorded
{% endfor %}

Verification:
{% for line in verification %}
✓ {{ line }}
{% else %}
nothing was ticked
{% endfor %}

{% if links.monitoring is known %}
Monitoring: {{ links.monitoring }}
{% endif %}
{% if links.dashboards is known %}
Dashboards: {{ links.dashboards }}
{% endif %}
"""

_STABLE = "Deployment stable: {{ service }} {{ version }}"

_ISSUE = """\
⚠️ Issue detected in {{ environment }}. Investigating...
{{ service }} {{ version }}: {{ issue }}
"""

_ROLLBACK_STARTED = """\
🔄 Rolling back {{ service }} from {{ version }} to {{ previous_version }}
Reason: {{ reason }}
"""

_ROLLED_BACK = """\
🔄 ROLLBACK COMPLETE
Rolled back to: {{ previous_version }}
Reason: {{ reason }}
Status: {{ status }}
Next steps: {{ next_steps }}
"""

_CANCELLED = """\
Deployment cancelled: {{ service }} {{ version }}
Reason: {{ reason }}
"""

NEAREST: Mapping[Announcement, str] = MappingProxyType(
    {
        Announcement.STARTING: _STARTING,  # azora
        Announcement.STARTED: _STARTED,  # petforce
        Announcement.SUCCEEDED: _SUCCEEDED,  # ca-marketplace
        Announcement.STABLE: _STABLE,  # maishapoa
        Announcement.ISSUE: _ISSUE,  # maishapoa
        Announcement.ROLLBACK_STARTED: _ROLLBACK_STARTED,  # no document words it
        Announcement.ROLLED_BACK: _ROLLED_BACK,  # petforce
        Announcement.CANCELLED: _CANCELLED,  # no document words it
    }
)
"""One for every announcement, and the document its wording is from."""

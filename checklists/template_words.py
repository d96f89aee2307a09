"""What is announced where a team's policy has no template of its own: the nearest wording of the five documents.

In the documents these are samples of one deployment; here the sample values are variables. Each names the service, as
several share a channel, and a line about what nobody knows is left out: it would be read by everybody and tell nothing.
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
Service: {{ service }}
Version: {{ version }}
{% if eta is known %}
ETA: {{ eta }}
{% endif %}
{% if changes %}
Changes: {{ changes | join('; ') }}
{% endif %}
{% if on_call is known %}
On-call: {{ on_call }}
{% endif %}
"""

_SUCCEEDED = """\
✅ {{ environment | capitalize }} Deployment Complete

Service: {{ service }}
Version: {{ version }}
{% if deployed_at is known %}
Deployed: {{ deployed_at }}
Duration: {{ duration }}
{% endif %}
{% if downtime is known %}
Downtime: {{ downtime }}
{% endif %}

{% if changes %}
Changes:
{% for change in changes %}
- {{ change }}
{% endfor %}
{% endif %}

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
{{ service }} {{ version }}{% if issue is known %}: {{ issue }}{% endif %}
"""

_ROLLBACK_STARTED = """\
🔄 Rolling back {{ service }} from {{ version }}{% if previous_version is known %} to {{ previous_version }}{% endif %}

{% if reason is known %}
Reason: {{ reason }}
{% endif %}
"""

_ROLLED_BACK = """\
🔄 ROLLBACK COMPLETE
Service: {{ service }}, {{ environment }}
{% if previous_version is known %}
Rolled back to: {{ previous_version }}
{% else %}
Rolled back from: {{ version }}
{% endif %}
{% if reason is known %}
Reason: {{ reason }}
{% endif %}
{% if status is known %}
Status: {{ status }}
{% endif %}
{% if next_steps is known %}
Next steps: {{ next_steps }}
{% endif %}
"""

_CANCELLED = """\
Deployment cancelled: {{ service }} {{ version }}
{% if reason is known %}
Reason: {{ reason }}
{% endif %}
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

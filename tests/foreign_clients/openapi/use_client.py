"""Uses the client that openapi-python-client generated, whose folder is the first argument."""

import datetime
import json
import sys

sys.path.insert(0, sys.argv[1])

from breakout_api import Client
from breakout_api.api.badges import ram_badge
from breakout_api.api.downloads import downloads
from breakout_api.api.models import model, models
from breakout_api.models import PageDownloads, PageModel, Problem

client = Client(base_url=sys.argv[2])
page = models.sync(client=client, org=["qi"], as_of=datetime.date(2026, 4, 1))
assert isinstance(page, PageModel)
series = downloads.sync(client=client, model=["qi/Big-300B"], limit=2)
assert isinstance(series, PageDownloads)
unknown = model.sync(client=client, org="qi", name="none")
assert isinstance(unknown, Problem)
badge = ram_badge.sync_detailed(client=client, org="qi", name="Big-300B")
print(
    json.dumps(
        {
            "models": [row.model_id for row in page.data],
            "released": [str(row.released_at) for row in page.data],
            "days": [row.period.isoformat() for row in series.data],
            "next": series.next_ is not None,
            "unknown": unknown.status,
            "badge": badge.content.startswith(b"<svg"),
        }
    )
)

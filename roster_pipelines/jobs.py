"""The two ways through the flow."""

import dagster as dg

TRIGGER = "roster/trigger"
"""The tag that says what started a run."""
SFTP_DROP = "sftp drop"
"""What it says where files were dropped: then they are taken only when they are whole."""
TELL = "roster/tell"
"""The tag of a run that only fails, to tell somebody what it says."""
BY_HAND = "roster pull"
"""What it says where a person did: then an API gives everything, not just changes."""

process_delivery = dg.define_asset_job(
    "process_delivery",
    selection=dg.AssetSelection.assets("delivery").downstream(),
    description="A district's whole way: fetch its files, check them, work out who may use what, publish.",
)

refresh_entitlements = dg.define_asset_job(
    "refresh_entitlements",
    selection=dg.AssetSelection.assets("identities").downstream(),
    description="From the sign-ins on, with the roster as it is: after a sign-in, an account, a code or a licence.",
)

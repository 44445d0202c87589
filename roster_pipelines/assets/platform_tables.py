"""The vendor's own tables, as external assets: they are read here and written elsewhere."""

import dagster as dg

_TABLES = {
    "products": "What the vendor sells, with the vendorResourceIds that districts write for it.",
    "licences": "Which product a district, or one of its schools, holds from when to when, and for how many teachers.",
    "accounts": "Teachers' accounts with the vendor: never activated, active or closed.",
    "access_codes": "Teacher Access Codes that accounts have redeemed, and for which product.",
    "sign_ins": "Who has signed in by SSO: subject and claims.",
    "account_links": "Which account a person has linked to a sign-in on the provisioning page.",
    "school_choices": "Which schools a person has picked on the provisioning page.",
}

platform_tables = [
    dg.AssetSpec(
        ["platform", name],
        description=description,
        group_name="platform",
        kinds={"postgres"},
        owners=["team:product"],
    )
    for name, description in _TABLES.items()
]

"""The vendor's own tables, as external assets: they are read here and written elsewhere."""

import dagster as dg

_TABLES = {
    "products": "What the vendor sells.",
    "licences": "Which product a district, or one of its schools, holds from when to when.",
    "accounts": "Teachers' accounts with the vendor: active or not.",
    "access_codes": "Teacher Access Codes that accounts have redeemed, and for which product.",
    "sign_ins": "Who has signed in by SSO: subject, claims, linked account.",
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

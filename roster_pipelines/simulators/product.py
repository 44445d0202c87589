"""Play the vendor's product: sell licences, open accounts, redeem access codes, sign teachers in by SSO."""

from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def sell(
    connection: Connection, district: str, product: str, *, school_nces_id: str | None = None, days: int = 365
) -> None:
    """License a product to a district, or to one of its schools, from yesterday on.

    Args:
        connection: In a transaction.
        district: Whose licence.
        product: The product's id; it is made if it is new.
        school_nces_id: The one school it covers; None: the whole district.
        days: For how long.
    """
    yesterday = date.today() - timedelta(days=1)  # noqa: DTZ011 - any day around today will do
    connection.execute(
        sa.text("""
            INSERT INTO platform.product VALUES (:product, initcap(replace(:product, '-', ' '))) ON CONFLICT DO NOTHING
        """),
        {"product": product},
    )
    connection.execute(
        sa.text("""
            INSERT INTO platform.licence (district, product_id, school_nces_id, starts_on, ends_on)
            VALUES (:district, :product, :school, :starts_on, :ends_on)
        """),
        {
            "district": district,
            "product": product,
            "school": school_nces_id,
            "starts_on": yesterday,
            "ends_on": yesterday + timedelta(days=days),
        },
    )


def open_account(connection: Connection, district: str, product: str | None = None) -> int:
    """Open a teacher's account; with a product, a redeemed Teacher Access Code makes it active.

    Returns:
        The account's id.
    """
    account = connection.scalar(
        sa.text("INSERT INTO platform.account (district, status) VALUES (:district, 'inactive') RETURNING account_id"),
        {"district": district},
    )
    if product:
        redeem(connection, int(account), product)
    return int(account)


def redeem(connection: Connection, account: int, product: str) -> None:
    """Redeem a Teacher Access Code, which makes the account active."""
    connection.execute(
        sa.text("INSERT INTO platform.access_code (account_id, product_id) VALUES (:account, :product)"),
        {"account": account, "product": product},
    )
    connection.execute(
        sa.text("UPDATE platform.account SET status = 'active' WHERE account_id = :account"),
        {"account": account},
    )


def sign_in(
    connection: Connection,
    district: str,
    sourced_id: str | None,
    account: int | None,
    *,
    email: str | None = None,
    provider: str = "classlink",
) -> None:
    """Sign a person in by SSO and link the account, as the provisioning page does.

    Args:
        connection: In a transaction.
        district: The tenant they sign in from.
        sourced_id: The claim that names them in the roster.
        account: The linked account's id.
        email: The e-mail claim.
        provider: The SSO provider.
    """
    connection.execute(
        sa.text("""
            INSERT INTO platform.sign_in (district, provider, subject, sourced_id, email, account_id)
            VALUES (:district, :provider, :subject, :sourced_id, :email, :account)
            ON CONFLICT (district, provider, subject) DO UPDATE SET last_signed_in_at = now(),
                sourced_id = excluded.sourced_id, email = excluded.email, account_id = excluded.account_id
        """),
        {
            "district": district,
            "provider": provider,
            "subject": f"sso-{sourced_id or email}",
            "sourced_id": sourced_id,
            "email": email,
            "account": account,
        },
    )

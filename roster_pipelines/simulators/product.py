"""Play the vendor's product: sell licences, open accounts, redeem access codes, sign teachers in by SSO."""

from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def sell(
    connection: Connection,
    district: str,
    product: str,
    *,
    school_nces_id: str | None = None,
    days: int = 365,
    starts_on: date | None = None,
    seats: int | None = None,
    resources: Sequence[str] = (),
) -> int:
    """License a product to a district, or to one of its schools.

    Args:
        connection: In a transaction.
        district: Whose licence.
        product: The product's id; it is made if it is new.
        school_nces_id: The one school it covers; None: the whole district.
        days: For how long.
        starts_on: From when; None: from yesterday on.
        seats: For how many teachers; None: any number.
        resources: vendorResourceIds that are the product's from now on, besides those that it has.

    Returns:
        The licence's id.
    """
    begins = starts_on or date.today() - timedelta(days=1)  # noqa: DTZ011 - any day around today will do
    connection.execute(
        sa.text("""
            INSERT INTO platform.product (product_id, name)
            VALUES (:product, initcap(replace(:product, '-', ' '))) ON CONFLICT DO NOTHING
        """),
        {"product": product},
    )
    connection.execute(
        sa.text("""
            UPDATE platform.product SET vendor_resource_ids = vendor_resource_ids || ARRAY(
                SELECT unnest(CAST(:resources AS text[])) EXCEPT SELECT unnest(vendor_resource_ids) ORDER BY 1)
            WHERE product_id = :product
        """),
        {"product": product, "resources": list(resources)},
    )
    licence = connection.scalar(
        sa.text("""
            INSERT INTO platform.licence (district, product_id, school_nces_id, seats, starts_on, ends_on)
            VALUES (:district, :product, :school, :seats, :starts_on, :ends_on) RETURNING licence_id
        """),
        {
            "district": district,
            "product": product,
            "school": school_nces_id,
            "seats": seats,
            "starts_on": begins,
            "ends_on": begins + timedelta(days=days),
        },
    )
    return int(licence)


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
    """Redeem a Teacher Access Code, which makes an account active that never was."""
    connection.execute(
        sa.text("INSERT INTO platform.access_code (account_id, product_id) VALUES (:account, :product)"),
        {"account": account, "product": product},
    )
    connection.execute(
        sa.text("""
            UPDATE platform.account SET status = 'active', activated_by = 'access_code', changed_at = now()
            WHERE account_id = :account AND status = 'inactive'
        """),
        {"account": account},
    )


def close_account(connection: Connection, account: int) -> None:
    """Close an account, whoever has opened it."""
    connection.execute(
        sa.text("UPDATE platform.account SET status = 'closed', changed_at = now() WHERE account_id = :account"),
        {"account": account},
    )


def sign_in(
    connection: Connection,
    district: str,
    sourced_id: str | None,
    account: int | None,
    *,
    subject: str | None = None,
    legacy_subject: str | None = None,
    provider: str = "classlink",
    email: str | None = None,
    username: str | None = None,
    identifier: str | None = None,
    user_id: str | None = None,
    role: str | None = None,
) -> int:
    """Sign a person in by SSO; with an account, they link it on the provisioning page.

    Args:
        connection: In a transaction.
        district: The tenant they sign in from.
        sourced_id: The claim that names them in the roster.
        account: The account to link; None: a link that is there stays.
        subject: Who they are to the provider; None: one that follows from the claims.
        legacy_subject: Who they were to the provider's earlier version: a claim, as all that follow.
        provider: The SSO provider.
        email: A claim, as all that follow; one that is not given is not in the sign-in, whatever an earlier one had.
        username: See email.
        identifier: See email.
        user_id: See email.
        role: See email.

    Returns:
        The sign-in's id, which stays the same for the same subject.
    """
    found = connection.scalar(
        sa.text("""
            INSERT INTO platform.sign_in
                (district, provider, subject, legacy_subject, sourced_id, email, username, identifier, user_id, role)
            VALUES (:district, :provider, :subject, :legacy_subject, :sourced_id, :email, :username, :identifier,
                :user_id, :role)
            ON CONFLICT (district, provider, subject) DO UPDATE SET last_signed_in_at = now(),
                sourced_id = excluded.sourced_id, email = excluded.email, username = excluded.username,
                identifier = excluded.identifier, user_id = excluded.user_id, role = excluded.role,
                legacy_subject = excluded.legacy_subject
            RETURNING sign_in_id
        """),
        {
            "district": district,
            "provider": provider,
            "subject": subject or f"sso-{sourced_id or email or username or identifier or user_id}",
            "legacy_subject": legacy_subject,
            "sourced_id": sourced_id,
            "email": email,
            "username": username,
            "identifier": identifier,
            "user_id": user_id,
            "role": role,
        },
    )
    if account is not None:
        link(connection, int(found), account)
    return int(found)


def link(connection: Connection, sign_in_id: int, account: int) -> None:
    """Link an account to a sign-in, in place of one that was linked before."""
    connection.execute(
        sa.text("""
            INSERT INTO platform.account_link (sign_in_id, account_id) VALUES (:sign_in, :account)
            ON CONFLICT (sign_in_id) DO UPDATE SET account_id = excluded.account_id, linked_at = now()
        """),
        {"sign_in": sign_in_id, "account": account},
    )


def choose_school(connection: Connection, sign_in_id: int, school_nces_id: str) -> None:
    """Pick one more school on the provisioning page."""
    connection.execute(
        sa.text("INSERT INTO platform.school_choice VALUES (:sign_in, :school) ON CONFLICT DO NOTHING"),
        {"sign_in": sign_in_id, "school": school_nces_id},
    )

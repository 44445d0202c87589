"""Playing the part of the vendor's product: licences, sign-ins, codes, links, schools that are picked, closing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import typer
from sqlalchemy.engine import Connection

from roster_pipelines.cli import database, output
from roster_pipelines.cli.district import Key
from roster_pipelines.district import District
from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import registry
from roster_pipelines.settings import settings
from roster_pipelines.simulators import product as vendor

PANEL = "Play the product's part (embedded database only)"

_LARGEST = 2**63 - 1
_Account = Annotated[int, typer.Argument(metavar="ACCOUNT", min=1, max=_LARGEST, help="The account's id.")]
_SignIn = Annotated[int, typer.Argument(metavar="SIGN_IN", min=1, max=_LARGEST, help="The sign-in's id.")]
_Product = Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's id.")]
_Claim = typer.Option(metavar="CLAIM", help="What the sign-in claims.")


def license_(
    district: Key,
    product: _Product,
    school: Annotated[str | None, typer.Option(metavar="NCES", help="The one school it covers.")] = None,
    seats: Annotated[int | None, typer.Option(min=1, max=2**31 - 1, help="For how many teachers.")] = None,
    begins: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE")] = None,
    ends: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], metavar="DATE", help="The first day without it."),
    ] = None,
    resource: Annotated[list[str] | None, typer.Option(metavar="ID", help="A vendorResourceId of the product.")] = None,
) -> None:
    """License a product to a district or a school; a product that is new is made."""
    with _playing(district) as (connection, record):
        _check_id("product", product)
        if school is not None:
            _check_nces_id(school)
        today = datetime.now(UTC).astimezone(ZoneInfo(record.time_zone)).date()
        first = begins.date() if begins else today
        last = ends.date() if ends else first + timedelta(days=min(365, (date.max - first).days))
        if last <= first:
            raise CallSomebody(
                f"the licence would end on {last}, not after it begins on {first}", "give a later --until"
            )
        licence = vendor.sell(
            connection,
            district,
            product,
            school_nces_id=school,
            starts_on=first,
            days=(last - first).days,
            seats=seats,
            resources=resource or (),
        )
        _done(
            record,
            f"licence {licence}: {product} for {f'school {school}' if school else 'all'} of {district},"
            f" {_seats(seats)}, from {first} until {last}",
        )


def _seats(number: int | None) -> str:
    if number is None:
        return "any number of teachers"
    return f"{number} seat{'' if number == 1 else 's'}"


def sign_in(
    district: Key,
    sourced_id: Annotated[str | None, _Claim] = None,
    email: Annotated[str | None, _Claim] = None,
    username: Annotated[str | None, _Claim] = None,
    identifier: Annotated[str | None, _Claim] = None,
    user_id: Annotated[str | None, _Claim] = None,
    subject: Annotated[
        str | None, typer.Option(help="Who it is to the provider; by default it follows from the claims.")
    ] = None,
    legacy_subject: Annotated[
        str | None, typer.Option(help="Who the subject was to the provider's earlier version, as LTI 1.3 claims it.")
    ] = None,
    account: Annotated[int | None, typer.Option(min=1, max=_LARGEST, help="Link this account.", metavar="ID")] = None,
    new_account: Annotated[bool, typer.Option("--new-account", help="Open an account and link it.")] = False,
) -> None:
    """Sign a person in by the district's SSO; the same subject again is the same sign-in with other claims."""
    if account is not None and new_account:
        raise typer.BadParameter("give one of them", param_hint="--account and --new-account")
    with _playing(district) as (connection, record):
        if record.sign_in is None:
            raise CallSomebody(f"{district} has no SSO integration", "add sign_in to its record and apply it")
        if not (subject or sourced_id or email or username or identifier or user_id):
            raise CallSomebody("a sign-in without a claim needs a subject", "give a claim, or --subject")
        if account is not None:
            _account_status(connection, district, account)
        found = vendor.sign_in(
            connection,
            district,
            sourced_id,
            vendor.open_account(connection, district) if new_account else account,
            subject=subject,
            legacy_subject=legacy_subject,
            provider=record.sign_in.provider,
            email=email,
            username=username,
            identifier=identifier,
            user_id=user_id,
        )
        linked = connection.scalar(
            sa.text("SELECT account_id FROM platform.account_link WHERE sign_in_id = :sign_in"), {"sign_in": found}
        )
        if linked is None:
            by_codes = record.registration == "access_code"
            missing = f"roster link {district} {found} ACCOUNT links an account" if by_codes else None
            _done(record, f"sign-in {found} of {district}, with no account", missing)
        else:
            _done(
                record,
                f"sign-in {found} of {district}, with account {linked}",
                _code_needed(connection, record, linked),
            )


def redeem(district: Key, account: _Account, product: _Product) -> None:
    """Redeem a Teacher Access Code of a product, which makes an account active."""
    with _playing(district) as (connection, record):
        if _account_status(connection, district, account) == "closed":
            raise CallSomebody(f"account {account} is closed", "redeem the code with another account")
        known = connection.scalars(sa.text("SELECT product_id FROM platform.product ORDER BY 1")).all()
        if product not in known:
            raise CallSomebody(
                f"there is no product {product!r}",
                f"the products are {', '.join(known)}" if known else "roster license makes one",
            )
        if connection.scalar(
            sa.text("SELECT 1 FROM platform.access_code WHERE account_id = :account AND product_id = :product"),
            {"account": account, "product": product},
        ):
            raise CallSomebody(f"account {account} has redeemed a code for {product} already", "nothing is left to do")
        vendor.redeem(connection, account, product)
        _done(record, f"account {account} of {district} is active and has {product}")


def link(district: Key, sign_in: _SignIn, account: _Account) -> None:
    """Link an account to a sign-in, as on the provisioning page."""
    with _playing(district) as (connection, record):
        _check_sign_in(connection, district, sign_in)
        status = _account_status(connection, district, account)
        vendor.link(connection, sign_in, account)
        _done(
            record,
            f"sign-in {sign_in} of {district} is linked to account {account}, which is {status}",
            _code_needed(connection, record, account),
        )


def choose_school(
    district: Key, sign_in: _SignIn, school: Annotated[str, typer.Argument(metavar="NCES", help="The school.")]
) -> None:
    """Pick one more school for a sign-in, as on the provisioning page."""
    with _playing(district) as (connection, record):
        _check_nces_id(school)
        _check_sign_in(connection, district, sign_in)
        vendor.choose_school(connection, sign_in, school)
        counts = "" if record.school_choice else ", which counts only with school_choice in the district's record"
        _done(record, f"sign-in {sign_in} of {district} has picked school {school}{counts}")


def close_account(district: Key, account: _Account) -> None:
    """Close an account: nothing that the pipeline does opens it again."""
    with _playing(district) as (connection, record):
        _account_status(connection, district, account)
        vendor.close_account(connection, account)
        _done(record, f"account {account} of {district} is closed")


@contextmanager
def _playing(district: str) -> Iterator[tuple[Connection, District]]:
    """Open the vendor's tables of a district to be written, which is for play only.

    Raises:
        CallSomebody: The database is a configured one, or has no such district.
    """
    if settings().database_url:
        raise CallSomebody(
            "this command writes invented rows into the vendor's tables, so it plays on the embedded database only",
            "unset ROSTER_DATABASE_URL for it; on a real one, the vendor's application does it",
        )
    with database.opened() as engine, engine.begin() as connection:
        yield connection, registry.get(connection, district)


def _done(record: District, what: str, missing: str | None = None) -> None:
    """Say what was done, and what happens next: what is still missing, or that the district is worked out again."""
    applied = {
        "onboarding": ", and nothing is applied in stage onboarding",
        "testing": ", for its pilot teachers",
        "paused": ", and nothing is applied while it is paused",
    }
    follows = (
        f"where roster up runs, {record.district} is worked out again within seconds{applied.get(record.stage, '')}"
    )
    output.console.print(f"{what}. Next: {missing or follows}.", markup=False)


def _code_needed(connection: Connection, record: District, account: int) -> str | None:
    if record.registration == "access_code" and _account_status(connection, record.district, account) == "inactive":
        return f"roster redeem {record.district} {account} PRODUCT activates the account"
    return None


def _account_status(connection: Connection, district: str, account: int) -> str:
    status = connection.scalar(
        sa.text("SELECT status FROM platform.account WHERE district = :district AND account_id = :account"),
        {"district": district, "account": account},
    )
    if status is None:
        raise CallSomebody(f"{district} has no account {account}", "roster sign-in DISTRICT --new-account opens one")
    return str(status)


def _check_sign_in(connection: Connection, district: str, sign_in_id: int) -> None:
    if not connection.scalar(
        sa.text("SELECT 1 FROM platform.sign_in WHERE district = :district AND sign_in_id = :sign_in"),
        {"district": district, "sign_in": sign_in_id},
    ):
        raise CallSomebody(f"{district} has no sign-in {sign_in_id}", "roster sign-in prints the id of one")


def _check_nces_id(school: str) -> None:
    if not (len(school) == 12 and school.isascii() and school.isdigit()):
        raise CallSomebody(f"{school!r} is no NCES id of a school", "give its 12 digits")


def _check_id(what: str, value: str) -> None:
    if not value or not all(part.isascii() and part.isalnum() and part == part.lower() for part in value.split("-")):
        raise CallSomebody(f"{value!r} is no id of a {what}", "give lower-case letters, digits and single hyphens")

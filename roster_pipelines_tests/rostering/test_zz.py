"""What holds for any roster, sign-ins, accounts and licences, however odd."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from roster_pipelines_tests.rostering.world import DAY, NORTH, SOUTH, SSO, TODAY, Product, Row, World, desired_rows

PEOPLE = ("p1", "p2", "p3", "p4")
CLASSES = ("c1", "c2", "c3")
SCHOOLS = {"north": NORTH, "south": SOUTH}
PRODUCTS = ("lessons", "health")
ACCOUNTS = (1, 2, 3)
# Every example works a district out twice or more, in a DuckDB of its own.
few = settings(max_examples=1)

statuses = st.sampled_from((None, None, None, "active", "tobedeleted"))
days = st.sampled_from((-400, -1, 0, 1, 200)).map(lambda n: TODAY + n * DAY)


@given(st.none() | days)
@few
def test_x(w):
    World().classes()

"""Whatever the order of uploads, looks and cuts: taken only when whole, and every whole delivery is taken in time."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipelines.connections.arrival import File, Listing, Look, Patience, Seen, decide
from roster_pipelines_tests.effort import cases

MINUTE = timedelta(minutes=1)
QUIET, WAIT = 5 * MINUTE, 60 * MINUTE
DATA = ("classes.csv", "orgs.csv", "users.csv")
MANIFEST = "manifest.csv"
PATIENCE = Patience(QUIET, WAIT, frozenset(DATA))


@dataclass
class World:
    """A district's folder with a manifest, its nightly uploads, and the sensor's looks."""

    now: datetime = datetime(2026, 11, 23, 2, tzinfo=UTC)
    night: int = 0
    files: dict[str, File] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)  # the night of each whole file
    seen: Seen = field(default_factory=Seen)
    moved: datetime | None = None
    first_look: datetime | None = None  # at the folder as it is now
    looks: list[Look] = field(default_factory=list)

    def put(self, name: str, size: int, *, whole: bool) -> None:
        self.files[name] = (name, size, self.now)
        self.moved, self.first_look = self.now, None
        if whole:
            self.written[name] = self.night
        else:
            self.written.pop(name, None)

    def remove(self, name: str) -> None:
        del self.files[name]

    @property
    def is_whole(self) -> bool:
        """Every file is tonight's, to its end; without a manifest, nothing tells which night's they are."""
        if MANIFEST not in self.files:
            return all(name in self.written for name in DATA)
        return all(self.written.get(name) == self.night for name in (*DATA, MANIFEST))

    def look(self) -> None:
        cut = tuple({*self.files} - {*self.written} - {f"{name}.filepart" for name in (*DATA, MANIFEST)})
        # A manifest that is not there to its end may name anything, or nothing.
        named = frozenset(DATA) if MANIFEST in self.written else None
        before = self.seen
        look = decide(Listing(tuple(self.files.values()), named, cut), before, self.now, PATIENCE)
        self.check(look)
        self.seen = look.seen
        if look.take:
            whole = frozenset(self.files) & {*DATA, MANIFEST}
            accepted = whole if look.state == "settled" else self.seen.files
            self.seen = replace(self.seen, taken=look.files, takings=before.takings + 1, files=accepted)
        self.first_look = self.first_look or self.now
        self.looks.append(look)

    def check(self, look: Look) -> None:
        if look.state == "settled":
            assert self.is_whole, "taken only when whole"
        if look.state == "overdue":
            assert self.moved is not None
            assert self.now - self.moved >= WAIT, "not whole, but waited for"
        due = self.first_look is not None and self.now - self.first_look >= QUIET
        assert due or not look.take, "taken only when an earlier look has shown the same, a quiet period ago"
        if due and self.is_whole:
            assert look.take or look.state == "taken", "whole and quiet since an earlier look: taken by this one"

    def passes(self, minutes: int, *, looking: bool) -> None:
        self.now += minutes * MINUTE
        if looking:
            self.look()


@dataclass(frozen=True)
class Step:
    """One step of uploading a file, then a pause, and maybe a look after it."""

    name: str
    pieces: int
    under_way: bool
    pauses: tuple[int, ...]
    looking: tuple[bool, ...]


# In minutes: an upload as a whole takes less than six hours, whatever is drawn.
pauses = st.tuples(*[st.sampled_from((0, 1, 4, 5, 6, 20))] * 4)
looking = st.tuples(*[st.booleans()] * 4)


@st.composite
def nights(draw: st.DrawFn) -> list[tuple[list[Step], int]]:
    """Uploads of some nights: the files in any order, each in pieces or under another name; some are cut."""
    uploads = []
    for _ in range(draw(st.integers(1, 3))):
        names = draw(st.permutations((*DATA, MANIFEST)))
        steps = [
            Step(name, draw(st.integers(1, 3)), draw(st.booleans()), draw(pauses), draw(looking)) for name in names
        ]
        cut = draw(st.one_of(st.just(99), st.integers(0, 6)))
        uploads.append((steps, cut))
    return uploads


def upload(world: World, steps: list[Step], cut: int) -> bool:
    """Upload a night's files; say whether the upload came to its end."""
    done = 0
    for step in steps:
        name = f"{step.name}.filepart" if step.under_way else step.name
        for piece in range(1, step.pieces + 1):
            if done == cut:
                return False
            done += 1
            # What is under way by another name is no file of the set yet; the last piece ends it.
            last = piece == step.pieces
            world.put(name, 1000 * world.night + piece, whole=last and not step.under_way)
            world.passes(step.pauses[piece], looking=step.looking[piece])
        if step.under_way:
            world.remove(name)
            world.put(step.name, 1000 * world.night + step.pieces, whole=True)
            world.passes(step.pauses[0], looking=step.looking[0])
    return True


@settings(max_examples=cases(150, 5000))
@given(nights(), st.lists(st.sampled_from((1, 3, 5, 7, 30)), min_size=4, max_size=4))
def test_a_delivery_is_taken_only_when_whole_and_every_whole_one_within_two_looks_of_its_quiet_period(
    uploads: list[tuple[list[Step], int]], afterwards: list[int]
) -> None:
    world = World()
    begun = world.now
    for number, (steps, cut) in enumerate(uploads):
        world.now, world.night = begun + number * timedelta(days=1), number
        came_to_its_end = upload(world, steps, cut)
        for minutes in afterwards:
            world.passes(minutes, looking=True)
        world.passes(5, looking=True)
        if came_to_its_end:
            assert world.looks[-1].take or world.looks[-1].state == "taken"
        world.passes(60, looking=True)
        assert world.looks[-1].state in ("settled", "overdue", "taken", "empty"), "nothing is waited for for ever"

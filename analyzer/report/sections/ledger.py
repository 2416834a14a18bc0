"""Who may, and who did: what could be taken back."""

from collections.abc import Sequence

from analyzer.pipeline import Audit
from analyzer.readiness import Grant, Ledger
from analyzer.readiness.words import counted
from analyzer.report.model import Cell, Fact, Listing, SectionModel, Table
from analyzer.vocabulary import GrantStatus

_SHOWN = 20
_MANIFESTS = 10


class LedgerSection:
    """Counts only over a window that is long enough; a shorter one says when it will be."""

    name = "ledger"
    title = "Over-grants"
    position = 74

    def build(self, audit: Audit) -> SectionModel:
        """Weigh grants against use, and show the entries that would be enough."""
        ledger = audit.assessment.ledger
        if audit.mesh.is_empty:
            return SectionModel(self.name, self.title, "No mesh documents were given (--mesh), so there is no ledger.")
        if not ledger.is_long_enough:
            return SectionModel(self.name, self.title, _too_short(ledger))
        by_status = {status: [g for g in ledger.grants if g.status is status] for status in GrantStatus}
        wide, unused = by_status[GrantStatus.WIDER_THAN_USED], by_status[GrantStatus.UNUSED]
        facts = (
            Fact("never used", len(unused), "entries of the mesh", "blocked"),
            Fact("wider than their use", len(wide), "entries of the mesh", "conditional"),
            Fact("used as they stand", len(by_status[GrantStatus.USED]), "entries of the mesh", "allowed"),
        )
        lead = (
            f"Over {counted(ledger.days, 'watched day')}, {len(unused):,} of {len(ledger.grants):,} entries were never "
            f"used, and {len(wide):,} allow more than was used."
        )
        blocks: tuple[Table | Listing, ...] = ()
        if wide:
            blocks = (_table("Wider than their use: namespaces that may, and that did", wide), *_listings(audit, wide))
        if unused:
            blocks = (*blocks, _table("Never used", unused))
        return SectionModel(self.name, self.title, lead, facts=facts, blocks=blocks, notes=_notes(ledger.grants))


def _too_short(ledger: Ledger) -> str:
    when = f" It will be on {ledger.decides_on}, if logs go on without a gap." if ledger.decides_on else ""
    return (
        f"{counted(ledger.days, 'day')} of {ledger.wanted} watched: too few to call anything unused, since a monthly "
        f"job runs once in 31 days.{when}"
    )


def _table(title: str, grants: Sequence[Grant]) -> Table:
    more = f" ({len(grants):,}, the first {_SHOWN} shown)" if len(grants) > _SHOWN else ""
    return Table(
        ("entry", "may", "did", "entries", "could go", "where"),
        tuple(_row(grant) for grant in grants[:_SHOWN]),
        ("may", "did", "entries"),
        f"{title}{more}",
    )


def _row(grant: Grant) -> tuple[Cell, ...]:
    return (
        grant.reference,
        len(grant.may),
        len(grant.did),
        grant.entries,
        "; ".join(_could_go(grant)),
        grant.place or "",
    )


def _could_go(grant: Grant) -> list[str]:
    if grant.status is GrantStatus.UNUSED:
        return ["the whole entry"]
    found = []
    if grant.unused_ports:
        found.append(f"ports {', '.join(str(port) for port in grant.unused_ports)}")
    if grant.unused_hosts:
        found.append(f"hosts {_few(grant.unused_hosts)}")
    found += [f"{wide.pattern}: {counted(wide.names, 'name')} seen ({_few(wide.examples)})" for wide in grant.wide]
    if grant.export_to is not None:
        found.append(f"exportTo could be {', '.join(grant.export_to)}")
    return found


def _listings(audit: Audit, grants: Sequence[Grant]) -> list[Listing]:
    found = (audit.assessment.narrowings.of(grant.reference) for grant in grants[:_SHOWN])
    return [Listing(f"Narrowed: {item.file}", item.yaml) for item in found if item is not None][:_MANIFESTS]


def _notes(grants: Sequence[Grant]) -> tuple[str, ...]:
    silent = sorted({name for grant in grants for name in grant.silent})
    doubtful = sum(grant.may_have > 0 for grant in grants)
    notes = []
    if silent:
        notes.append(
            f"{counted(len(silent), 'namespace')} of the mesh are in no log ({_few(silent)}): their use is not known."
        )
    if doubtful:
        notes.append(
            f"{counted(doubtful, 'entry', 'entries')} may have been used by connections whose name the log does not "
            "show; that counts as use."
        )
    return tuple(notes)


def _few(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


SECTION = LedgerSection()

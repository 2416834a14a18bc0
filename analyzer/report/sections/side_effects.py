"""What existing entries do beyond what they are for."""

from collections.abc import Sequence

from analyzer.pipeline import Audit
from analyzer.readiness import SideEffect
from analyzer.readiness.words import counted
from analyzer.report.model import SectionModel, Table

_SHOWN = 20


class SideEffectsSection:
    """Findings of what exists, and what a person must look at in what is proposed."""

    name = "side_effects"
    title = "Side effects"
    position = 72

    def build(self, audit: Audit) -> SectionModel:
        """List them, those with most entries first."""
        existing, proposed = audit.assessment.side_effects, audit.assessment.proposed_side_effects
        if not existing and not proposed:
            lead = (
                "No mesh documents were given (--mesh), so no existing entry was looked at."
                if audit.mesh.is_empty
                else "No entry lets out, takes or opens anything beyond what it is for."
            )
            return SectionModel(self.name, self.title, lead)
        tables = [_table("Of entries that exist", existing)] if existing else []
        tables += [_table("Of what is proposed", proposed)] if proposed else []
        measured = counted(sum(effect.entries for effect in existing), "log entry", "log entries")
        lead = (
            f"{counted(len(existing), 'finding')} in existing ServiceEntries, {measured} in their way; "
            f"{len(proposed):,} in what is proposed."
        )
        return SectionModel(self.name, self.title, lead, blocks=tuple(tables))


def _table(title: str, effects: Sequence[SideEffect]) -> Table:
    more = f" ({len(effects):,}, the first {_SHOWN} shown)" if len(effects) > _SHOWN else ""
    return Table(
        ("what", "entry", "port", "entries", "how", "where"),
        tuple(
            (effect.code.value, effect.reference, _port(effect), effect.entries, effect.because, effect.place or "")
            for effect in effects[:_SHOWN]
        ),
        ("entries",),
        f"{title}{more}",
    )


def _port(effect: SideEffect) -> str:
    """A port is a name and no amount: its thousands are not set apart."""
    return "" if effect.port is None else str(effect.port)


SECTION = SideEffectsSection()

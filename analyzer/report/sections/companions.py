"""What was made on request beside the ServiceEntries."""

from analyzer.pipeline import Audit
from analyzer.readiness.words import counted
from analyzer.report.model import Listing, SectionModel

_SHOWN = 30
_FOLDER = "companions/"


class CompanionsSection:
    """Every file to read and to copy, under what it is for; there is no section where none was asked for."""

    name = "companions"
    title = "Companions"
    position = 55

    def build(self, audit: Audit) -> SectionModel | None:
        """List the files in the order of their names, and say what a person must know of them."""
        files, notes = audit.companions.files, audit.companions.notes
        if not files and not notes:
            return None
        more = f"; the first {_SHOWN} stand here" if len(files) > _SHOWN else ""
        made = f"{counted(len(files), 'file')} made on request in the folder companions{more}."
        lead = f"{made} They are applied by hand, apart from the manifests." if files else "None could be made."
        listings = tuple(
            Listing(f"{file.file.removeprefix(_FOLDER)}: {file.reason}", file.text) for file in files[:_SHOWN]
        )
        return SectionModel(self.name, self.title, lead, blocks=listings, notes=notes)


SECTION = CompanionsSection()

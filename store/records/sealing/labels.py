"""The proof in the code of a printed label: whoever has it has seen the label of this lift at this place."""

from __future__ import annotations

from alerts.incidents.rescue import PLACES
from store.records.database import Database
from store.records.sealing.keys import SecretsUnreadable


class LabelProofStore:
    """The part of the records that proves labels by the keys of secrets; nothing is stored."""

    _database: Database

    def label_proof(self, lift_id: str, place: str) -> str:
        """Return the proof of the label of a lift for a place; raise SecretsUnreadable where no key can be used."""
        return self._database.keys.prove(_about(lift_id, place))

    def place_of_label(self, lift_id: str, proof: str) -> str | None:
        """Return the place whose label of a lift has this proof; None where none has, or no key can be used."""
        try:
            found = [place for place in PLACES if self._database.keys.is_proof(proof, _about(lift_id, place))]
        except SecretsUnreadable:
            return None
        return found[0] if found else None


def _about(lift_id: str, place: str) -> str:
    return f"label\n{place}\n{lift_id}"

"""The sample's own world and model of v3: they lie in no package, so they are taken from here."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "samples" / "acme"))

import model
from model import Refusal
from record import record
from world import CYCLES, DAY, Atom, Organization, Person, ServiceUser, Session, World, at, build

__all__ = [
    "CYCLES",
    "DAY",
    "Atom",
    "Organization",
    "Person",
    "Refusal",
    "ServiceUser",
    "Session",
    "World",
    "at",
    "build",
    "model",
    "record",
]
